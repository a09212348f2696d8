"""Events: what people decided and what was promised anew, kept as evidence for auditors."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from staffeln_cli.model.cloud import ProjectId, VolumeId


class EventKind(StrEnum):
    """What happened."""

    PINNED = "pinned"
    """A backup is kept until it is released, or the note of its pin has changed."""
    RELEASED = "released"
    PAUSED = "paused"
    RESUMED = "resumed"
    CONFIRMED = "confirmed"
    """Somebody has let a command go on with --confirm."""
    POLICY = "policy"
    """What is promised has changed: a key of the configuration, or the terms of volumes."""


class Event(NamedTuple):
    """One event; it never changes."""

    at: datetime
    kind: EventKind
    who: str
    """A user and a host; of a policy: whose word it was, or the host that first saw it."""
    item: str
    """A backup, a volume, what was paused, a command, or a key of the configuration."""
    project_id: ProjectId | None = None
    """None where it is about the whole cloud."""
    volume_id: VolumeId | None = None
    before: str | None = None
    """Of a policy, what was promised until then; None: nothing was on record."""
    after: str | None = None
    """Of a policy, what is promised from then on; None: nothing any more."""
    reason: str | None = None
