"""Answers in which one value is not what the service's API promises, and whom it is about."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from click.testing import CliRunner

from staffeln_cli.cli import staffeln as command_line
from staffeln_cli.cli.session import Session
from staffeln_cli.demo.simcloud import Request, SimCloud
from tests.conftest import Staffeln
from tests.resilience.replay import SavedState

GONE = object()
"""Stands for a key that is not there."""
ODD: dict[str, Any] = {
    "null": None,
    "true": True,
    "a number": 7,
    "negative": -1,
    "huge": 10**30,
    "a fraction": 1.5,
    "empty": "",
    "a text": "odd",
    "NUL": "a\0b",
    "half a character": "\ud800",
    "enormous": "x" * 300_000,
    "a time too early": "0001-01-01T00:00:00",
    "a time too late": "9999-12-31T23:59:59.999999",
    "a list": [],
    "a list of nothing": [None],
    "an object": {},
    "nested": {"a": {"b": [None]}},
    "gone": GONE,
}
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
_ALWAYS = 10_000
_OWNER = frozenset({"tenant_id", "project_id"})
_NAMES = _OWNER | {"id", "volume_id"}
"""The ends of keys without which nobody can tell whose a row is."""


class Place(NamedTuple):
    """A kind of request, and where a value is in its answers."""

    method: str
    path: str
    """With `*` for each id."""
    at: tuple[str | int, ...]

    @property
    def says_whose(self) -> bool:
        """Whether it is a whole answer or row, or says what a row is about: then it may be any."""
        if len(self.at) < 2:
            return True
        in_listing = isinstance(self.at[1], int)
        return in_listing and (len(self.at) == 2 or self._key in _NAMES)

    @property
    def _key(self) -> str:
        """The last key, without the extension of the API that it belongs to."""
        return str(self.at[-1]).rpartition(":")[2]


@dataclass
class Ending:
    """How a command ended, and what it asked Cinder and Nova to change."""

    exit_code: int
    stderr: str
    error: BaseException | None
    changes: frozenset[str]
    victim: str = ""
    """The project that every odd answer was about, where there is one."""

    def changes_in(self, projects: Collection[str]) -> frozenset[str]:
        """What was to be changed in these projects, by the path that names them."""
        return frozenset(one for one in self.changes if any(name in one for name in projects))


@dataclass
class Situation:
    """One command in one situation, which can be played again with other answers."""

    cloud: SimCloud
    staffeln: Staffeln
    arguments: tuple[str, ...]
    places: list[Place] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Play it once with the right answers."""
        self._saved = SavedState(self.cloud, self.staffeln.environ["STAFFELN_DATABASE_URL"])
        self._saved.take()
        found: dict[Place, None] = {}

        def look(request: Request, body: Any) -> Any:
            found.update((Place(*_kind(request), at), None) for at in _paths(body))
            return body

        self.usual = self._play(look)
        self.places = list(found)

    def play(self, place: Place, odd: Any) -> Ending:
        """Play it again, with an odd value at this place of all such answers about one project."""
        victims: list[str] = []

        def spoil(request: Request, body: Any) -> Any:
            if _kind(request) != place[:2]:
                return body
            victims.append(_project_of(body, place.at))
            return _with(body, place.at, odd) if victims[-1] == victims[0] else body

        ending = self._play(spoil)
        ending.victim = victims[0] if victims else ""
        return ending

    def _play(self, edit: Callable[[Request, Any], Any]) -> Ending:
        self._saved.restore()
        self.cloud.faults.edit_next("", edit, _ALWAYS, method="*")
        self.cloud.on_request = self._let_time_pass
        session = Session(environ=dict(self.staffeln.environ), clock=self.cloud.now)
        result = CliRunner().invoke(command_line, self.arguments, obj=session)
        self.cloud.faults.clear()
        error = None if isinstance(result.exception, SystemExit) else result.exception
        return Ending(result.exit_code, result.stderr, error, self._changes())

    def _let_time_pass(self, _: Request) -> None:
        """So that what waits for something odd gives up, in whose time it is."""
        self.cloud.advance(seconds=2)

    def _changes(self) -> frozenset[str]:
        """What was asked for, and of what: what is new has another id each time."""
        asked = (one for one in list(self.cloud.requests) if one.method not in {"GET", "HEAD"})
        return frozenset(
            f"{one.method} {one.path} {_source_of(one.body)}"
            for one in asked
            if not one.path.endswith("/auth/tokens")
        )


def _kind(request: Request) -> tuple[str, str]:
    return request.method, _UUID.sub("*", request.path)


def _paths(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in an answer; of a list the first row stands for all."""
    yield at
    if isinstance(value, dict):
        for key in value:
            yield from _paths(value[key], (*at, key))
    elif isinstance(value, list) and value:
        yield from _paths(value[0], (*at, 0))


def _with(body: Any, at: tuple[str | int, ...], odd: Any) -> Any:
    """The answer with an odd value, where it has such a place."""
    if not at:
        return {} if odd is GONE else odd
    inner = body
    try:
        for key in at[:-1]:
            inner = inner[key]
        if odd is GONE:
            del inner[at[-1]]
        else:
            inner[at[-1]] = odd
    except (KeyError, IndexError, TypeError):
        pass  # another answer of this kind
    return body


def _project_of(body: Any, at: tuple[str | int, ...]) -> str:
    """The project of the row, or of the one thing, in which a place is."""
    if not isinstance(body, dict) or not at:
        return ""
    found = body[at[0]]
    if isinstance(found, list) and len(at) > 1:
        found = found[0] if found else None
    if not isinstance(found, dict):
        return ""
    of_token = found.get("project")
    owners = [found[key] for key in found if key.rpartition(":")[2] in _OWNER]
    owners += [of_token["id"]] if isinstance(of_token, dict) else []
    return str(next(iter(owners), ""))


def _source_of(body: Any) -> str:
    """The volume of which a backup is made.

    Not the backup of which a volume is made: where the newest is not understood, and named, the
    one before it is restored.
    """
    inner = next(iter(body.values())) if isinstance(body, dict) and body else None
    return str(inner.get("volume_id") or "") if inner else ""
