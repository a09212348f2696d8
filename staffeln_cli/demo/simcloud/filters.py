"""What the query of a Cinder listing asks for, by Cinder's rules for each kind of caller."""

from __future__ import annotations

from dataclasses import dataclass, fields

from staffeln_cli.demo.simcloud.calls import Call
from staffeln_cli.demo.simcloud.errors import refused
from staffeln_cli.demo.simcloud.rows import Backup, Volume

NOT_FILTERS = frozenset({"all_tenants", "limit", "marker", "sort"})
NOT_SIMULATED = frozenset(
    {"created_at", "updated_at", "metadata", "name~", "offset", "sort_key", "sort_dir"}
    | {"with_count"}
)
NOT_VOLUME_COLUMNS = {"attachments", "encrypted", "previous_status", "rendered"}
NOT_BACKUP_COLUMNS = {"metadata", "doomed", "spoiled", "stuck", "rendered"}


@dataclass(frozen=True)
class Kind:
    """What differs between listing volumes and listing backups."""

    name: str
    columns: frozenset[str]
    for_everybody: frozenset[str]


VOLUMES = Kind(
    "Volume",
    frozenset(column.name for column in fields(Volume)) - NOT_VOLUME_COLUMNS,
    frozenset(
        {"name", "status", "bootable", "migration_status", "availability_zone", "group_id", "size"}
    ),
)
BACKUPS = Kind(
    "Backup",
    frozenset(column.name for column in fields(Backup)) - NOT_BACKUP_COLUMNS,
    frozenset({"name", "status", "volume_id"}),
)


@dataclass(frozen=True)
class Wanted:
    """Which rows a listing asks for: those of a project, or of all, with these values."""

    project_id: str | None
    equal: dict[str, object]
    nothing: bool = False

    def fits(self, row: object) -> bool:
        return all(getattr(row, column) == value for column, value in self.equal.items())


def wanted(call: Call, kind: Kind) -> Wanted:
    """Read the filters. To a non-admin `all_tenants` is nothing: the project is always its own."""
    everywhere = _boolean(call.query.get("all_tenants", "0"), "all_tenants")
    scope = None if everywhere and call.is_admin() else call.project_id()
    asked = _allowed(call, kind)
    if any(key not in kind.columns for key in asked):
        # Cinder answers an admin's unknown filter with an empty list, not with an error.
        return Wanted(scope, {}, nothing=True)
    equal = {column: _typed(column, text) for column, text in asked.items()}
    narrower = equal.pop("project_id", None)
    if scope and narrower not in (None, scope):
        return Wanted(scope, {}, nothing=True)
    return Wanted(scope or (None if narrower is None else str(narrower)), equal)


def _allowed(call: Call, kind: Kind) -> dict[str, str]:
    asked = {key: text for key, text in call.query.items() if key not in NOT_FILTERS}
    if missing := NOT_SIMULATED.intersection(asked):
        raise refused(400, f"The simulated cloud does not know {', '.join(sorted(missing))}")
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
