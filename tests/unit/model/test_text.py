"""The rules for text that others wrote: one for each kind of place."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffeln_cli.model.text import (
    dns_label,
    dumped,
    escaped,
    first_line,
    is_host,
    nameable,
    one_line,
    quoted,
    storable,
    unmentioned,
    zulu,
)

ANY = st.text(st.characters())
"""Any characters, lone surrogates included, which JSON can carry."""
ACTING = set("\x1b\x07\x7f\x85\x9b\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ud800")


@given(ANY)
def test_one_line_is_printable_and_stays_as_it_is_the_second_time(text: str) -> None:
    assert one_line(text).isprintable()
    assert one_line(one_line(text)) == one_line(text)


@given(ANY)
def test_escapes_leave_nothing_that_a_terminal_acts_on_and_json_reads_them_back(text: str) -> None:
    shown = dumped({"name": text})
    assert not ACTING & set(shown)
    assert not any(ord(char) < 0x20 for char in shown)
    assert json.loads(shown) == {"name": text}


@given(ANY)
def test_what_is_stored_is_valid_and_has_no_nul(text: str) -> None:
    assert "\0" not in storable(text)
    assert storable(text).encode().decode() == storable(text)


@given(ANY)
def test_a_chat_finds_nobody_to_address_and_no_markup(text: str) -> None:
    assert not set("<>@\n\r\x1b") & set(unmentioned(f"<!channel> @everyone {text}"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("web 1", "web 1"),
        ("a\n\tb  c ", "a b c"),
        ("\x1b[31m", "?[31m"),
        ("\x9b31m", "?31m"),
        ("\u202eevil", "?evil"),
        ("🚀", "🚀"),
        ("", ""),
    ],
)
def test_one_line_keeps_what_people_can_read(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_an_error_says_its_first_line_or_its_class() -> None:
    assert first_line(OSError("no route\n  to \x1bhost")) == "no route"
    assert first_line(OSError("no\x1b[1m route")) == "no?[1m route"
    assert first_line(TimeoutError()) == "TimeoutError"
    assert first_line(" \n ") == "str"


def test_lines_stay_lines_where_text_has_several() -> None:
    assert escaped("a\nb\x1b\r") == "a\nb\\u001b\\u000d"


def test_a_wrong_value_is_quoted_and_short() -> None:
    assert quoted("\x1b\u202e") == "'\\x1b\\u202e'"
    assert len(quoted("x" * 1000)) == 67


def test_a_name_has_no_characters_of_four_bytes() -> None:
    assert nameable("a\nb\u200bc\U0001f600d\u00a0e") == "a b?c?d e"
    assert nameable("Größe ") == "Größe"


def test_a_label_that_has_to_change_gets_a_checksum() -> None:
    assert dns_label("leader-regionone") == "leader-regionone"
    assert dns_label("Leader") != dns_label("leader")
    assert dns_label("🚀").isalnum()


def test_moments_are_utc_in_whole_seconds() -> None:
    moment = datetime(2026, 11, 22, 23, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))
    assert zulu(moment) == "2026-11-22T22:00:00Z"
    assert dumped({"at": moment.astimezone(UTC)}) == '{"at": "2026-11-22T22:00:00Z"}'


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("db.example.org", True),
        ("::1", True),
        ("büro.example", True),
        ("db..example.org", False),
        (f"{'x' * 64}.org", False),
        ("", False),
    ],
)
def test_a_name_that_no_host_can_have_is_told(name: str, *, expected: bool) -> None:
    assert is_host(name) is expected
