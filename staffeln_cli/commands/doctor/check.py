"""What is examined, and what an examination finds."""

from dataclasses import dataclass, field
from enum import StrEnum

from staffeln_cli.config import Loaded
from staffeln_cli.errors import ConfigError, Unavailable
from staffeln_cli.model import ProjectId
from staffeln_cli.runtime import Runtime


class Level(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, what was seen, what to do about it."""

    name: str
    level: Level
    text: str
    advice: str = ""
    exit_code: int = 0


@dataclass(slots=True)
class CheckContext:
    """The installation, as far as it has been examined."""

    loaded: Loaded
    runtime: Runtime
    failed: set[str] = field(default_factory=set)
    protected: dict[ProjectId, tuple[int, int]] = field(default_factory=dict)
    """For each project with protected volumes, their number and size; from the database."""


def ok(text: str) -> Check:
    """All is well."""
    return Check("", Level.OK, text)


def warning(text: str, advice: str = "") -> Check:
    """It works, but."""
    return Check("", Level.WARNING, text, advice)


def misconfigured(text: str, advice: str = "") -> Check:
    """Somebody must put it right."""
    return Check("", Level.PROBLEM, text, advice, ConfigError.exit_code)


def unreachable(text: str, advice: str = "") -> Check:
    """Out of reach, perhaps only now."""
    return Check("", Level.PROBLEM, text, advice, Unavailable.exit_code)
