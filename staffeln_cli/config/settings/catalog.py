"""The catalog: what brings backups back after a database is lost."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogSettings:
    """Which export records are fetched, and where the catalog is saved."""

    records: Annotated[
        bool, Meta(description="fetch Cinder's export record of each backup once, in check")
    ] = True
    per_pass: Annotated[
        int, Meta(ge=1, description="most export records that one pass of check asks for")
    ] = 200
    path: Annotated[
        Path | None,
        Meta(description="folder for a catalog file a day, which run saves; none: not saved"),
    ] = None
    keep: Annotated[int, Meta(ge=1, description="how many of these files are kept")] = 14
    key_file: Annotated[
        Path | None,
        Meta(description="file with a secret that authenticates catalog files (HMAC-SHA-256)"),
    ] = None
