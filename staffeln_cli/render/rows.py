"""Rows as JSON, CSV or values, each written as soon as it is read."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from staffeln_cli.model.text import dumped, one_line, zulu

Row = Sequence[object]
_FORMULA = ("=", "+", "-", "@")


def as_json(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """A list of objects, one per line."""
    between = "["
    for row in rows:
        yield f"{between}\n  {dumped(dict(zip(columns, row, strict=True)))}"
        between = ","
    yield "[]\n" if between == "[" else "\n]\n"


def as_csv(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """A header and rows, everything except numbers quoted; empty where there is no value.

    No text begins like a formula, which a spreadsheet would run.
    """
    out = _Line()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(columns)
    yield out.text
    for row in rows:
        writer.writerow(["" if cell is None else _no_formula(_cell(cell)) for cell in row])
        yield out.text


def as_values(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """The values of each row on one line, separated by spaces; None where there is no value."""
    del columns
    for row in rows:
        yield " ".join(str(_cell(cell)) for cell in row) + "\n"


SHAPES = {"json": as_json, "csv": as_csv, "value": as_values}


class _Line:
    """What the csv module wrote last."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def _no_formula(cell: Any) -> Any:
    """After an apostrophe, a spreadsheet takes it for text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _cell(value: object) -> Any:
    if isinstance(value, datetime):
        return zulu(value)
    if isinstance(value, dict):
        return dumped(value)
    return one_line(value) if isinstance(value, str) else value
