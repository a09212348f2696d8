"""The catalog: what brings backups back after a database is lost."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogSettings:
    """Which export records are fetched."""

    records: Annotated[
        bool, Meta(description="fetch Cinder's export record of each backup once, in check")
    ] = True
    per_pass: Annotated[
        int, Meta(ge=1, description="most export records that one pass of check asks for")
    ] = 200
