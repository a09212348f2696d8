"""The policy endpoint, and log lines."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySettings:
    """Where the policy endpoint listens, and which users may always delete."""

    host: Annotated[
        str, Meta(min_length=1, description="address that serve-policy listens on")
    ] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="its port; 0 = any free one")] = 8808
    unix_socket: Annotated[
        Path | None, Meta(description="listen on this socket instead, for a proxy on this host")
    ] = None
    trusted_users: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        Meta(
            description="ids of the users that may delete automatic backups: Staffeln's own;"
            " openstack user show -f value -c id NAME"
        ),
    ] = ()
    access_log: Annotated[
        bool, Meta(description="one line of JSON on stderr for each request answered")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """Where log lines go."""

    file: Annotated[Path | None, Meta(description="a file; without it stderr")] = None
    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="least level that is logged"),
    ] = "warning"
