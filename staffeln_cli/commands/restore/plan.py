"""What is requested, what is planned for each backup, and what was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from staffeln_cli.model import Backup, Decision, NewVolume, VolumeId
from staffeln_cli.planning.restoring import AS_THE_SOURCE, Overrides, Source
from staffeln_cli.planning.retention.keep_rules import stamp
from staffeln_cli.runtime import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreRequest:
    """What to restore: backups, or the newest ones of volumes and servers before a moment."""

    backups: Sequence[str] = ()
    volumes: Sequence[str] = ()
    servers: Sequence[str] = ()
    at: datetime | None = None
    overrides: Overrides = AS_THE_SOURCE
    """The new volume's name may be given where there is only one."""
    wait: bool = False
    projects: Sequence[str] = ()
    """Of which everything is brought back that was lost."""
    recreates: bool = False
    """Whether the servers are booted again from their volumes."""
    prints: bool = False
    """Whether the commands that do so are shown instead."""
    flavor: str | None = None
    """For a server whose own flavor is gone."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A backup to restore, why this one, and whether it is surely whole."""

    backup: Backup
    reason: str
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """A backup to restore, and the volume to make of it."""

    choice: Choice
    source: Source
    new: NewVolume

    @property
    def backup(self) -> Backup:
        """The backup to restore."""
        return self.choice.backup

    @property
    def reason(self) -> str:
        """Why this backup."""
        return self.choice.reason


@dataclass(frozen=True, slots=True)
class Requested:
    """A restore that Cinder has accepted."""

    plan: Plan
    volume_id: VolumeId


def decision(plan: Plan, reason: str) -> Decision:
    """The line that says what is restored, and to what."""
    backup = plan.backup
    text = f"of {stamp(backup.created_at)} {reason}"
    return Decision("restore", "backup", backup.id, backup.name, text)


def failed(run: Run, backup: Backup, reason: str) -> None:
    """Name a backup that is not restored."""
    run.fail("backup", backup.id, reason, name=backup.name)
    run.count("failed")
