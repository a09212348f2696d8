"""What can go wrong, sorted by what the reader can do about it, and the exit code of each."""

from collections.abc import Iterable


class StaffelnError(Exception):
    """Something foreseen: its text is one sentence for the operator."""

    exit_code: int = 1


class Unavailable(StaffelnError):
    """Something could not be reached, or refused: the next run goes on (EX_UNAVAILABLE)."""

    exit_code = 69


class CloudUnavailable(Unavailable):
    """OpenStack could not be reached, timed out, or answered with what cannot be understood."""


class ListingIncomplete(CloudUnavailable):
    """A listing failed for good on some page: what it lacks is no evidence of absence."""


class StoreUnavailable(Unavailable):
    """The database could not be reached, is locked, read-only or full."""


class LockServiceUnavailable(Unavailable):
    """The lock service could not be reached: who else runs is unknown, so this run does not."""


class MailUnavailable(Unavailable):
    """The mail server could not be reached or refused the message."""


class ClockWrong(Unavailable):
    """This host's clock and the cloud's differ so much that no age can be trusted."""


class LeadershipLost(Unavailable):
    """Another run has taken over the leader lock: this one writes nothing more."""


class LockHeld(StaffelnError):
    """Another run holds the lock; not an error for cron: it will be back."""

    exit_code = 0


class ConfigError(StaffelnError):
    """The configuration is wrong; carries every mistake at once, a line each (EX_CONFIG)."""

    exit_code = 78

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class NotAdmin(ConfigError):
    """The cloud login lacks the role that shows all projects."""


class WrongCloud(ConfigError):
    """The database belongs to another cloud or region."""


class SchemaOutdated(ConfigError):
    """The database schema is older or newer than this code."""


class NotFound(StaffelnError):
    """What the caller named does not exist (a volume, a server, a backup)."""

    exit_code = 2


class BrakeApplied(StaffelnError):
    """A pass would remove suspiciously much and wants the operator's word first."""

    exit_code = 3


class Stopped(StaffelnError):
    """A signal asked the run to end; the item in hand is finished, the rest left as it was."""

    def __init__(self, signal_number: int) -> None:
        self.exit_code = 128 + signal_number  # as shells count it
        super().__init__(f"stopped by signal {signal_number}")


class Refused(StaffelnError):
    """Cinder answered a request about one item, and the answer was no; the item did not change."""

    exit_code = 3


class NoParent(Refused):
    """No backup is available that an incremental could build on."""


class QuotaExceeded(Refused):
    """The project's backup quota is used up."""


class Throttled(Refused):
    """Cinder asked to slow down, and has not acted."""


class VolumeGone(Refused):
    """The volume does not exist any more."""


class VolumeBusy(Refused):
    """The volume is in a status, passing or not, that forbids a backup."""


class BackupGone(Refused):
    """The backup does not exist any more."""


class HasDependents(Refused):
    """Incremental backups build on this one."""


class NoAccess(Refused):
    """The login has no role in the project, or the project is disabled."""


class ProjectUnavailable(Refused):
    """Nothing can be asked for in one project: no usable token of it, or no endpoint in it."""


class BackupServiceDown(Refused):
    """Cinder has no cinder-backup service up that could carry this out."""


class ForceUnsupported(Refused):
    """The backup driver cannot delete by force."""


class InDoubt(StaffelnError):
    """No answer that says whether Cinder acted: to be looked up by name later, never repeated."""

    exit_code = 3
