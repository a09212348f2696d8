"""The services that Staffeln talks to: the cloud, its own database, locks."""

import os
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from staffeln_cli.model.durations import Timeout

_OF_THE_SYSTEM = Path("/var/lib/staffeln")


def _state_folder() -> Path:
    """The default folder for the state: the system's for root, otherwise the user's.

    The user of a container may have no home: no variable, no entry in passwd, or the root folder.
    """
    if os.geteuid() == 0:
        return _OF_THE_SYSTEM
    if os.environ.get("XDG_STATE_HOME"):
        return Path(os.environ["XDG_STATE_HOME"]) / "staffeln"
    try:
        home = Path.home()
    except RuntimeError:
        return _OF_THE_SYSTEM
    return _OF_THE_SYSTEM if home == Path("/") else home / ".local" / "state" / "staffeln"


def _default_database() -> str:
    return f"sqlite:///{_state_folder() / 'staffeln.db'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudSettings:
    """Which cloud, and how long requests to it may take."""

    name: Annotated[
        str | None,
        Meta(description="entry of clouds.yaml; without it OS_CLOUD, else the OS_* variables"),
    ] = None
    region: Annotated[str | None, Meta(description="region, where the entry has several")] = None
    admin_roles: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1,
            description="one of these roles must be on the token, to see all projects",
        ),
    ] = ("admin",)
    request_timeout: Annotated[Timeout, Meta(description="longest wait for one answer")] = Timeout(
        seconds=60
    )
    retry_timeout: Annotated[
        timedelta,
        Meta(
            description="how long idempotent requests are retried"
            " after a 429, a 5xx or a lost connection"
        ),
    ] = timedelta(minutes=5)
    workers: Annotated[int, Meta(ge=1, le=64, description="API calls in parallel")] = 8
    settle_time: Annotated[
        timedelta,
        Meta(description="how long an absence must last before it is believed"),
    ] = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """Where Staffeln keeps its state."""

    url: Annotated[
        str,
        Meta(
            description="sqlite:////absolute/path or postgresql+psycopg://user:password@host/name"
        ),
    ] = field(default_factory=_default_database)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockSettings:
    """How runs, also on several hosts, exclude each other."""

    url: Annotated[
        str | None,
        Meta(
            description="database (the one of database.url), file:///folder,"
            " redis://host:6379/0, rediss://…, kubernetes://namespace;"
            " without it database with PostgreSQL, and a folder beside an SQLite file"
        ),
    ] = None
    lease: Annotated[
        Timeout,
        Meta(description="how long a lock outlives a host that died, except in files"),
    ] = Timeout(seconds=60)
