"""Errors by what the reader can do about them, with their exit codes."""

from collections.abc import Iterable


class StaffelnError(Exception):
    """An expected error; its text is one sentence for the operator."""

    exit_code: int = 1


class Unavailable(StaffelnError):
    """Something is unreachable or refuses; the next run continues (EX_UNAVAILABLE)."""

    exit_code = 69


class CloudUnavailable(Unavailable):
    """OpenStack is unreachable, timed out, or sent an invalid response."""


class ListingIncomplete(CloudUnavailable):
    """A page of a listing could not be read: what the listing lacks may still exist."""


class NotUnderstood(CloudUnavailable):
    """A service answered with what its API does not promise; it says nothing about absence."""


class StoreUnavailable(Unavailable):
    """The database is unreachable, locked, read-only or full."""


class LockServiceUnavailable(Unavailable):
    """The lock service is unreachable: another run may be active, so this one does not start."""


class MailUnavailable(Unavailable):
    """The mail server is unreachable or refused the message."""


class ClockWrong(Unavailable):
    """This host's clock and the cloud's differ so much that no age can be trusted."""


class LeadershipLost(Unavailable):
    """Another run has taken over the leader lock; this one writes nothing more."""


class LockHeld(StaffelnError):
    """Another run holds the lock; not an error, because cron will try again."""

    exit_code = 0


class ConfigError(StaffelnError):
    """The configuration is wrong; has every mistake, one per line (EX_CONFIG)."""

    exit_code = 78

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class NotAdmin(ConfigError):
    """The login lacks the role that shows all projects."""


class NotWholeCloud(ConfigError):
    """A listing shows the login's own project alone: what it lacks is no evidence of absence."""

    def __init__(self, seen: str, advice: str = "") -> None:
        advice = advice or (
            "Cinder does not treat this login as an admin: give it a role of cloud.admin_roles"
            " again, and see that context_is_admin in Cinder's policy takes that role"
        )
        super().__init__([f"{seen}; {advice}; nothing was taken for gone"])


class WrongCloud(ConfigError):
    """The database belongs to another cloud or region."""


class SchemaOutdated(ConfigError):
    """The database schema is older or newer than this code."""


class NotFound(StaffelnError):
    """The named volume, server, backup or project does not exist."""

    exit_code = 2


class BrakeApplied(StaffelnError):
    """A pass would delete unusually many backups and needs a confirmation."""

    exit_code = 3


class Stopped(StaffelnError):
    """A signal stopped the run after the current item; the others are unchanged."""

    def __init__(self, signal_number: int) -> None:
        self.exit_code = 128 + signal_number  # as shells count it
        super().__init__(f"stopped by signal {signal_number}")


class CatalogRejected(StaffelnError):
    """A catalog file is damaged, incomplete, forged, or of another format."""

    exit_code = 3


class RestorationFailed(StaffelnError):
    """A server or volume is not back yet; what was made stays, and a repetition goes on."""

    exit_code = 3


class Refused(StaffelnError):
    """Cinder refused a request about one item; the item did not change."""

    exit_code = 3


class NoParent(Refused):
    """No backup is available that an incremental could depend on."""


class QuotaExceeded(Refused):
    """The project's backup quota is used up."""


class Throttled(Refused):
    """The service asked for fewer requests and has not acted."""


class VolumeGone(Refused):
    """The volume does not exist any more."""


class VolumeBusy(Refused):
    """The volume is in a status that does not permit a backup."""


class BackupGone(Refused):
    """The backup does not exist any more."""


class HasDependents(Refused):
    """Incremental backups depend on this one."""


class NoAccess(Refused):
    """The login has no role in the project, or the project is disabled."""


class ProjectUnavailable(Refused):
    """Nothing can be asked for in one project: no usable token of it, or no endpoint in it."""


class BackupServiceDown(Refused):
    """No cinder-backup service is up that could do this."""


class HostsNotSwitched(Refused):
    """Cinder does not disable backup hosts when asked to, nor enable them again."""


class ForceUnsupported(Refused):
    """The backup driver cannot delete by force."""


class ResultUnknown(StaffelnError):
    """It is unknown whether Cinder acted: look the item up by name, never repeat the request."""

    exit_code = 3
