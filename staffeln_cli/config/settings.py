"""Every key of the configuration: its type, its default, and one sentence for the operator."""

import os
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from staffeln_cli.config.notices import MailSettings, NotifySettings, ReportSettings
from staffeln_cli.model.durations import Duration
from staffeln_cli.planning.retention.policy import Policy


def _state_folder() -> Path:
    """Where state is kept unless configured: the system's folder for root, else the user's own."""
    if os.geteuid() == 0:
        return Path("/var/lib/staffeln")
    state_home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state_home) / "staffeln"


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
    request_timeout: Annotated[timedelta, Meta(description="longest wait for one answer")] = (
        timedelta(seconds=60)
    )
    retry_timeout: Annotated[
        timedelta,
        Meta(description="how long what may be repeated is, after 429, 5xx, lost connections"),
    ] = timedelta(minutes=5)
    workers: Annotated[int, Meta(ge=1, le=64, description="API calls in parallel")] = 8
    settle_time: Annotated[
        timedelta,
        Meta(description="how long an absence must last before it is believed"),
    ] = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """Where the state is."""

    url: Annotated[
        str,
        Meta(
            description="sqlite:////absolute/path or postgresql+psycopg://user:password@host/name"
        ),
    ] = field(default_factory=_default_database)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockSettings:
    """How hosts agree on who works."""

    url: Annotated[
        str | None,
        Meta(
            description="file:///folder, redis://host:6379/0, rediss://…, kubernetes://namespace;"
            " without it a folder beside the SQLite file"
        ),
    ] = None
    lease: Annotated[
        timedelta,
        Meta(description="how long a Redis or Kubernetes lock outlives a host that died"),
    ] = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectSettings:
    """Which servers and volumes are protected."""

    metadata_key: Annotated[
        str, Meta(description='servers whose metadata has this set to "true"; "" = every server')
    ] = "__staffeln_backup"
    skip_volume_key: Annotated[
        str,
        Meta(
            min_length=1, description='volumes whose metadata has this set to "true" are left out'
        ),
    ] = "skip-volume-backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSettings:
    """How often, how, and how many at once."""

    min_interval: Annotated[
        Duration,
        Meta(
            description="least time between starts of two backups of a volume; 0s = every collect"
        ),
    ] = Duration(exact=timedelta(days=1))
    full_backup_depth: Annotated[
        int, Meta(ge=0, le=1000, description="incrementals after each full; 0 = always full")
    ] = 6
    chain_max_age: Annotated[
        Duration | None, Meta(description="a chain whose full is older is followed by a new full")
    ] = None
    timeout: Annotated[
        timedelta,
        Meta(description="a backup unfinished after this has failed; its remains are removed"),
    ] = timedelta(hours=12)
    timeout_per_gib: Annotated[
        timedelta, Meta(description="added to the time-out for each GiB of the volume")
    ] = timedelta()
    max_in_flight: Annotated[
        int, Meta(ge=1, description="backups being created, all hosts together")
    ] = 32
    max_in_flight_per_project: Annotated[
        int, Meta(ge=1, description="backups being created in one project, all hosts together")
    ] = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSettings:
    """What is kept, and for how long."""

    time: Annotated[Duration, Meta(description="a backup older than this may go")] = Duration(
        exact=timedelta(days=17)
    )
    metadata_key: Annotated[
        str,
        Meta(
            min_length=1,
            description="server metadata that overrides it: a duration, or a policy's name",
        ),
    ] = "__staffeln_retention"
    keep_last: Annotated[
        int,
        Meta(
            ge=0,
            description="never fewer than this many restorable backups of a volume that exists",
        ),
    ] = 1
    grace: Annotated[
        Duration,
        Meta(description="how long after it was first seen a shorter retention takes effect"),
    ] = Duration(exact=timedelta(days=1))
    minimum: Annotated[
        Duration | None, Meta(description="age below which no backup is removed at all")
    ] = None
    brake: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            description="largest share of backups that a pass may remove unasked; 1 = no brake",
        ),
    ] = 0.5
    history: Annotated[
        Duration, Meta(description="how long finished rows stay in the database")
    ] = Duration(exact=timedelta(days=90))
    policies: Annotated[
        dict[str, Policy],
        Meta(description="named policies: last, hourly, daily, weekly, monthly, yearly, time"),
    ] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetainSettings:
    """How long the removal of expired backups may take."""

    time_budget: Annotated[
        timedelta, Meta(description="how long one pass goes on with further waves of deletions")
    ] = timedelta(minutes=5)
    max_in_flight: Annotated[int, Meta(ge=1, description="deletions under way at once")] = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySettings:
    """Where the policy endpoint listens, and whom it always lets delete."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All sections; each has defaults, so that no file at all is fine."""

    cloud: CloudSettings = field(default_factory=CloudSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    lock: LockSettings = field(default_factory=LockSettings)
    select: SelectSettings = field(default_factory=SelectSettings)
    backup: BackupSettings = field(default_factory=BackupSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    retain: RetainSettings = field(default_factory=RetainSettings)
    report: ReportSettings = field(default_factory=ReportSettings)
    mail: MailSettings = field(default_factory=MailSettings)
    notify: NotifySettings = field(default_factory=NotifySettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    log: LogSettings = field(default_factory=LogSettings)

    def secret_urls(self) -> tuple[str, ...]:
        """The URLs whose secrets a driver or a library might show."""
        return (self.database.url, *((self.lock.url,) if self.lock.url else ()))


SECRETS = frozenset({"database.url", "lock.url", "mail.password", "notify.urls"})
"""Keys whose value may hold a password."""
