"""The states of a backup record and the legal moves between them."""

from staffeln_cli.model import BackupId, Kind, State

NEXT: dict[State, frozenset[State]] = {
    State.PLANNED: frozenset({State.STARTING, State.CANCELLED}),
    State.STARTING: frozenset({State.CREATING, State.PLANNED, State.FAILED, State.CANCELLED}),
    State.CREATING: frozenset({State.AVAILABLE, State.FAILED}),
    State.AVAILABLE: frozenset({State.DELETING, State.MISSING}),
    State.FAILED: frozenset({State.DELETING, State.CREATING, State.AVAILABLE}),
    State.DELETING: frozenset({State.DELETED}),
    State.MISSING: frozenset({State.AVAILABLE}),
    State.CANCELLED: frozenset(),
    State.DELETED: frozenset(),
}
"""From each state, the states that may follow; `store.lifecycle` has a method for each move."""

UNFINISHED = frozenset({State.PLANNED, State.STARTING, State.CREATING})
"""At most one record of a volume is in these; a unique partial index says so."""

IN_FLIGHT = frozenset({State.STARTING, State.CREATING})
"""What counts against the caps on backups in flight."""

LIVE = frozenset({State.STARTING, State.CREATING, State.AVAILABLE, State.DELETING, State.FAILED})
"""Records whose backup Cinder may have: protected from tenants."""


def may_move(old: State, new: State) -> bool:
    """Whether a record may go from `old` to `new`."""
    return new in NEXT[old]


def chain_id_of(kind: Kind, backup_id: BackupId, recorded: BackupId | None) -> BackupId | None:
    """The chain that a backup belongs to: a full begins one, an incremental extends `recorded`."""
    return backup_id if kind is Kind.FULL else recorded
