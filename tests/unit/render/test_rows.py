"""Rows for other programs, whatever strangers called their volumes."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta, timezone

from staffeln_cli.model.text import dumped, zulu
from staffeln_cli.render.rows import as_csv, as_json, as_values

COLUMNS = ("name", "size_gib", "at", "overdue", "counts")
MOMENT = datetime(2026, 11, 22, 22, 0, 0, 5, tzinfo=UTC)
HOSTILE = ["a\nb", "\x1b[31mred", "[red]x[/red]", "<b>&amp;", 'q"uo,te', "x" * 255, "🚀", "\x9b1m"]


def rows(*names: str) -> list[tuple[object, ...]]:
    return [(name, 10, MOMENT, True, {"a": 1}) for name in names]


def test_json_is_one_list_of_objects_with_moments_in_utc() -> None:
    text = "".join(as_json(COLUMNS, rows("a", "b")))
    assert json.loads(text) == [
        {
            "name": name,
            "size_gib": 10,
            "at": "2026-11-22T22:00:00Z",
            "overdue": True,
            "counts": {"a": 1},
        }
        for name in "ab"
    ]


def test_no_rows_are_an_empty_list() -> None:
    assert json.loads("".join(as_json(COLUMNS, []))) == []


def test_json_keeps_every_name_as_it_is_and_no_terminal_is_told_anything() -> None:
    text = "".join(as_json(COLUMNS, rows(*HOSTILE)))
    assert [one["name"] for one in json.loads(text)] == HOSTILE
    assert "\x1b" not in text
    assert "\x9b" not in text


def test_csv_quotes_everything_but_numbers_as_the_openstack_client_does() -> None:
    text = "".join(as_csv(("name", "size_gib", "reason"), [("web", 10, None)]))
    assert text == '"name","size_gib","reason"\n"web",10,""\n'


def test_csv_has_one_line_to_a_row_whatever_the_names() -> None:
    text = "".join(as_csv(COLUMNS, rows(*HOSTILE)))
    assert len(text.splitlines()) == 1 + len(HOSTILE)
    assert [row[0] for row in csv.reader(io.StringIO(text))][5] == 'q"uo,te'


def test_no_cell_of_a_csv_is_a_formula() -> None:
    names = ("=1+1", "+1", "-1", "@SUM(A1)", "\n=1", "a=1")
    text = "".join(as_csv(("name", "size_gib"), [(name, -1) for name in names]))
    shown = [row[0] for row in csv.reader(io.StringIO(text))][1:]
    assert shown == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'=1", "a=1"]
    assert text.count(",-1\n") == len(names)


def test_values_stand_on_one_line_to_a_row_with_blanks_between() -> None:
    text = "".join(as_values(COLUMNS, [("a\nb", None, MOMENT, False, {"a": 1})]))
    assert text == 'a b None 2026-11-22T22:00:00Z False {"a": 1}\n'


def test_rows_are_printed_as_they_are_read() -> None:
    def endless() -> object:
        while True:
            yield from rows("a")

    printed = as_json(COLUMNS, endless())  # type: ignore[arg-type]  # a generator of rows
    assert next(printed).startswith("[\n")
    assert next(printed).startswith(",\n")


def test_moments_of_other_zones_are_told_in_utc() -> None:
    there = datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    assert zulu(there) == "2025-12-31T23:00:00Z"


def test_what_json_does_not_know_is_told_as_text() -> None:
    assert dumped({"at": MOMENT, "other": 1 + 0j}) == (
        '{"at": "2026-11-22T22:00:00Z", "other": "(1+0j)"}'
    )
