"""What the query of a Cinder listing asks for, by Cinder's rules for each kind of caller."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from staffeln_cli.demo.simcloud.calls import Call
from staffeln_cli.demo.simcloud.errors import refused
from staffeln_cli.demo.simcloud.rows import Backup, Volume

Test = Callable[[object], bool]
Range = tuple[Callable[[object, object], bool], datetime]

NOT_FILTERS = frozenset(
    {"all_tenants", "limit", "marker", "offset", "sort", "sort_key", "sort_dir", "with_count"}
)
NOT_VOLUME_COLUMNS = {"attachments", "encrypted", "previous_status", "rendered"}
NOT_BACKUP_COLUMNS = {"metadata", "doomed", "stuck", "rendered"}
COLUMN_OF = {"display_name": "name", "display_description": "description"}
OPERATORS: dict[str, Callable[..., bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "eq": operator.eq,
    "neq": operator.ne,
    "lt": operator.lt,
    "lte": operator.le,
}


@dataclass(frozen=True)
class Kind:
    """What differs between listing volumes and listing backups."""

    name: str
    columns: frozenset[str]
    for_everybody: frozenset[str]
    has_time_ranges: bool


VOLUMES = Kind(
    "Volume",
    frozenset(column.name for column in fields(Volume)) - NOT_VOLUME_COLUMNS,
    frozenset(
        {"name", "status", "metadata", "bootable", "migration_status"}
        | {"availability_zone", "group_id", "size", "created_at", "updated_at"}
    ),
    has_time_ranges=True,
)
BACKUPS = Kind(
    "Backup",
    frozenset(column.name for column in fields(Backup)) - NOT_BACKUP_COLUMNS,
    frozenset({"name", "status", "volume_id"}),
    has_time_ranges=False,
)


@dataclass(frozen=True)
class Wanted:
    """Which rows a listing asks for: equal values, other tests, and the age if that is one."""

    project_id: str | None
    equal: dict[str, object]
    tests: tuple[tuple[str, Test], ...]
    ages: tuple[Range, ...]
    nothing: bool = False

    def fits(self, row: object) -> bool:
        return all(getattr(row, column) == value for column, value in self.equal.items()) and all(
            test(getattr(row, column)) for column, test in self.tests
        )


def wanted(call: Call, kind: Kind) -> Wanted:
    """Read the filters. To a non-admin `all_tenants` is nothing: the project is always its own."""
    everywhere = _boolean(call.query.get("all_tenants", "0"), "all_tenants")
    scope = None if everywhere and call.is_admin() else call.project_id()
    asked = {key: text for key, text in call.query.items() if key not in NOT_FILTERS}
    asked = _allowed(call, kind, asked)
    equal: dict[str, object] = {}
    tests: list[tuple[str, Test]] = []
    ages: tuple[Range, ...] = ()
    for key, text in asked.items():
        column = COLUMN_OF.get(key.removesuffix("~"), key.removesuffix("~"))
        if column not in kind.columns:
            # Cinder answers an admin's unknown filter with an empty list, not with an error.
            return Wanted(scope, {}, (), (), nothing=True)
        if column in ("created_at", "updated_at"):
            ranges = _ranges(text) if kind.has_time_ranges else ((_never, _epoch()),)
            ages += ranges if column == "created_at" and len(ranges) == 1 else ()
            tests += [(column, _in_range(ranges))]
        elif key.endswith("~"):
            tests.append((column, _contains(text)))
        elif column == "metadata":
            tests.append((column, _has_metadata(text)))
        else:
            equal[column] = _typed(column, text)
    narrower = equal.pop("project_id", None)
    if scope and narrower not in (None, scope):
        return Wanted(scope, {}, (), (), nothing=True)
    return Wanted(scope or _text(narrower), equal, tuple(tests), ages)


def _allowed(call: Call, kind: Kind, asked: dict[str, str]) -> dict[str, str]:
    if call.version < (3, 34):
        asked = {key: text for key, text in asked.items() if not key.endswith("~")}
    if call.is_admin():
        return asked
    foreign = [key for key in asked if key not in kind.for_everybody]
    if foreign and call.version >= (3, 31):
        names = ", ".join(foreign)
        raise refused(400, f"Invalid filters {names} are found in query options.")
    return {key: text for key, text in asked.items() if key not in foreign}


def _boolean(text: str, name: str) -> bool:
    if text.lower() in ("1", "t", "true", "on", "y", "yes"):
        return True
    if text.lower() in ("0", "f", "false", "off", "n", "no"):
        return False
    raise refused(400, f"Value '{text}' for '{name}' is not a boolean.")


def _typed(column: str, text: str) -> object:
    if column in ("bootable", "multiattach", "consumes_quota"):
        return _boolean(text, column)
    if column in ("size", "object_count", "num_dependent_backups") and text.isdigit():
        return int(text)
    return text


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _contains(text: str) -> Test:
    return lambda value: text.lower() in str(value or "").lower()


def _has_metadata(text: str) -> Test:
    """Match a literal like {'key': 'value'}; anything that is none matches nothing."""
    try:
        pairs = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        pairs = None
    if not isinstance(pairs, dict):
        return lambda _value: False
    return lambda value: isinstance(value, dict) and pairs.items() <= value.items()


def _ranges(text: str) -> tuple[Range, ...]:
    ranges = []
    for part in text.split(","):
        sign, _, moment = part.partition(":")
        if sign not in OPERATORS:
            raise refused(400, f"Invalid {sign} operator")
        try:
            when = datetime.fromisoformat(moment)
        except ValueError:
            raise refused(400, f"Invalid {moment} value") from None
        ranges.append((OPERATORS[sign], when if when.tzinfo else when.replace(tzinfo=UTC)))
    return tuple(ranges)


def _in_range(ranges: tuple[Range, ...]) -> Test:
    """Match one condition of several: Cinder joins them by `or`, so that a range is no range."""
    return lambda value: value is not None and any(op(value, when) for op, when in ranges)


def _never(_left: object, _right: object) -> bool:
    return False


def _epoch() -> datetime:
    return datetime.fromtimestamp(0, UTC)
