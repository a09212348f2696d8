"""What a check finds, and what checks share."""

from dataclasses import dataclass, field
from enum import StrEnum

from staffeln_cli.config import Loaded
from staffeln_cli.errors import ConfigError, Unavailable
from staffeln_cli.model import ProjectId, UnreadableRow
from staffeln_cli.runtime import Runtime


class Level(StrEnum):
    """The result of a check."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One result: what was checked, what was seen, what to do about it."""

    name: str
    level: Level
    text: str
    advice: str = ""
    exit_code: int = 0


@dataclass(slots=True)
class CheckContext:
    """The installation, and what earlier checks found."""

    loaded: Loaded
    runtime: Runtime
    failed: set[str] = field(default_factory=set)
    protected: dict[ProjectId, tuple[int, int]] = field(default_factory=dict)
    """For each project with protected volumes, their number and size; from the database."""
    _unreadable: dict[tuple[str, str], UnreadableRow] = field(default_factory=dict)

    def note_unreadable(self, row: UnreadableRow) -> None:
        """Take in a row that is not understood; the same one may come again."""
        self._unreadable[row.kind, row.id] = row

    def unreadable(self) -> list[UnreadableRow]:
        """Give the rows that were not understood since the last time."""
        rows = list(self._unreadable.values())
        self._unreadable.clear()
        return rows


def ok(text: str) -> Check:
    """The check succeeded."""
    return Check("", Level.OK, text)


def warning(text: str, advice: str = "") -> Check:
    """It works, but something should be changed."""
    return Check("", Level.WARNING, text, advice)


def misconfigured(text: str, advice: str = "") -> Check:
    """The operator must correct it."""
    return Check("", Level.PROBLEM, text, advice, ConfigError.exit_code)


def unreachable(text: str, advice: str = "") -> Check:
    """Something cannot be reached, perhaps only for now."""
    return Check("", Level.PROBLEM, text, advice, Unavailable.exit_code)
