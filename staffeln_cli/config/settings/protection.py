"""What is backed up, how, and for how long it is kept."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

from msgspec import Meta

from staffeln_cli.model.durations import Duration, Timeout
from staffeln_cli.planning.protection.windows import Window
from staffeln_cli.planning.retention.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectSettings:
    """Which servers and volumes are protected."""

    metadata_key: Annotated[
        str,
        Meta(
            description='servers whose metadata has this set to "true"; "" = every server;'
            " the same key of a volume, true or false, comes first"
        ),
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
    window: Annotated[
        Window | None,
        Meta(
            description="planned backups start only then, 22:00-05:00 say, in report.timezone"
            " or else UTC; ad-hoc ones at any time"
        ),
    ] = None
    full_backup_depth: Annotated[
        int, Meta(ge=0, le=1000, description="incrementals after each full; 0 = always full")
    ] = 6
    chain_max_age: Annotated[
        Duration | None,
        Meta(description="start a new chain when the last full backup is older"),
    ] = None
    timeout: Annotated[
        Timeout,
        Meta(
            description="a backup unfinished after this has failed; its remains are removed;"
            " without timeout_per_gib, after four times its usual duration if that is longer"
        ),
    ] = Timeout(hours=12)
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
            description="metadata of a volume or, after it, of its server that override it:"
            " a duration, or a policy's name",
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
    time_budget: Annotated[
        timedelta, Meta(description="how long one pass starts further waves of deletions")
    ] = timedelta(minutes=5)
    max_in_flight: Annotated[int, Meta(ge=1, description="deletions in progress at once")] = 64
    policies: Annotated[
        dict[str, Policy],
        Meta(description="named policies: last, hourly, daily, weekly, monthly, yearly, time"),
    ] = field(default_factory=dict)
