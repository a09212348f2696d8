"""What reports are made of, as read from the database."""

from datetime import datetime
from typing import NamedTuple

from staffeln_cli.model import Kind, Origin, ProjectId, State, VolumeId


class Addressee(NamedTuple):
    """A project that there is something to tell about."""

    project_id: ProjectId
    project_name: str
    domain_id: str
    enabled: bool
    gone_at: datetime | None
    reported_at: datetime | None


class Entry(NamedTuple):
    """A backup record, as far as a report is concerned."""

    id: str
    backup_id: str | None
    name: str
    project_id: ProjectId
    volume_id: VolumeId
    volume_name: str
    server_name: str
    kind: Kind
    state: State
    origin: Origin
    reason: str | None
    size_gib: int | None
    planned_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    deleted_at: datetime | None
    delete_reason: str | None
    delete_attempts: int
    pinned: bool
    pin_note: str | None
    remains: bool
    reported_at: datetime | None
    removal_reported_at: datetime | None

    @property
    def succeeded(self) -> bool:
        """Whether there was a backup once, whatever became of it."""
        if self.state in (State.DELETING, State.DELETED):
            return self.reason is None
        return self.state in (State.AVAILABLE, State.MISSING)


class Charge(NamedTuple):
    """How many backups, and how many GiB the quota is charged for them."""

    backups: int
    gib: int


class Growth(NamedTuple):
    """What came and went since a moment."""

    made: Charge
    removed: Charge
    oldest: datetime | None
    """When the first backup of the project on record was done."""
