"""Rows in the order in which Cinder lists them, found again without a search."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

Key = tuple[datetime, str]


class Row(Protocol):
    """What a table needs to know of a row."""

    id: str
    project_id: str
    created_at: datetime
    rendered: tuple[object, bytes] | None


R = TypeVar("R", bound=Row)


class Table(Generic[R]):
    """Rows by id, by age (in all and per project), and by the columns named at the start."""

    def __init__(self, *indexed: str) -> None:
        self._rows: dict[str, R] = {}
        self._ages: dict[str | None, list[Key]] = {None: []}
        self._mixed: set[str | None] = set()
        """Whose ages are to be sorted before the next look: inserting each takes longer."""
        self._index: dict[str, dict[object, dict[str, None]]] = {name: {} for name in indexed}
        self.revision = 0
        self.remembered: tuple[object, list[R], dict[str, int]] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[R]:
        return iter(self._rows.values())

    def __contains__(self, row_id: str) -> bool:
        return row_id in self._rows

    def __getitem__(self, row_id: str) -> R:
        return self._rows[row_id]

    def get(self, row_id: str | None) -> R | None:
        return self._rows.get(row_id) if row_id else None

    def ages(self, project_id: str | None = None) -> list[Key]:
        """Give the keys of all rows, or of one project's, oldest first."""
        ages = self._ages.get(project_id, [])
        if project_id in self._mixed:
            ages.sort()
            self._mixed.remove(project_id)
        return ages

    def narrows(self, column: str, value: object) -> bool:
        """Say whether an index leads past most of the rows."""
        if column not in self._index:
            return False
        return len(self._index[column].get(value, ())) * 4 <= len(self._rows)

    def find(self, column: str, value: object) -> list[R]:
        """Give the rows that have this value in an indexed column."""
        return [self._rows[row_id] for row_id in self._index[column].get(value, ())]

    def add(self, row: R) -> R:
        self.revision += 1
        self._rows[row.id] = row
        for owner in (None, row.project_id):
            ages = self._ages.setdefault(owner, [])
            ages.append((row.created_at, row.id))
            if len(ages) > 1 and ages[-1] < ages[-2]:
                self._mixed.add(owner)
        for column, index in self._index.items():
            index.setdefault(getattr(row, column), {})[row.id] = None
        return row

    def remove(self, row_id: str) -> R:
        self.revision += 1
        row = self._rows.pop(row_id)
        for owner in (None, row.project_id):
            ages = self.ages(owner)
            del ages[bisect_left(ages, (row.created_at, row.id))]
        for column, index in self._index.items():
            del index[getattr(row, column)][row_id]
        return row

    def change(self, row: R, **values: Any) -> None:
        """Set columns and forget how the row looked; never `created_at` or `project_id`."""
        self.revision += 1
        for column, value in values.items():
            if column in self._index:
                del self._index[column][getattr(row, column)][row.id]
                self._index[column].setdefault(value, {})[row.id] = None
            setattr(row, column, value)
        row.rendered = None
