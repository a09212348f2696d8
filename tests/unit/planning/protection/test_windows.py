"""The backup window: over midnight, where the clock changes, and as people write it."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest

from staffeln_cli.planning.protection.windows import Opening, Window, parse

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = parse("22:00-05:00")


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def in_berlin(text: str, opening: Opening) -> str:
    begin, end = (moment.astimezone(BERLIN) for moment in opening)
    return f"{text}: {begin:%d %H:%M%z} to {end:%d %H:%M%z}"


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("22:00-05:00", Window(time(22), time(5))),
        (" 9:30 - 17:05 ", Window(time(9, 30), time(17, 5))),
        ("20:00-24:00", Window(time(20), time(0))),
    ],
)
def test_a_window_is_read_and_written_back(text: str, window: Window) -> None:
    assert parse(text) == window
    assert parse(str(window)) == window


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("22-5", "is not a window such as 22:00-05:00"),
        ("", "is not a window such as 22:00-05:00"),
        ("at night", "is not a window such as 22:00-05:00"),
        ("25:00-05:00", "has a time that no clock shows"),
        ("22:60-05:00", "has a time that no clock shows"),
        ("24:00-05:00", "has a time that no clock shows"),
        ("22:00-22:00", "ends when it begins"),
        ("00:00-24:00", "ends when it begins"),
    ],
)
def test_what_is_no_window_is_named(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as error:
        parse(text)
    assert repr(text) in str(error.value)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (utc(22, 21, 59), (utc(22, 22), utc(23, 5))),
        (utc(22, 22), (utc(22, 22), utc(23, 5))),
        (utc(23, 4, 59), (utc(22, 22), utc(23, 5))),
        (utc(23, 5), (utc(23, 22), utc(24, 5))),
        (utc(23, 12), (utc(23, 22), utc(24, 5))),
    ],
)
def test_over_midnight_the_opening_is_of_the_evening_before(
    moment: datetime, expected: tuple[datetime, datetime]
) -> None:
    opening = NIGHT.next_opening(moment)
    assert opening == expected
    assert opening.is_open(moment) is (moment >= opening.opens_at)
    assert not opening.is_open(opening.closes_at)


def test_on_the_same_day_it_opens_in_the_morning() -> None:
    day = parse("09:00-17:00")
    assert day.next_opening(utc(22, 8)) == (utc(22, 9), utc(22, 17))
    assert day.next_opening(utc(22, 17)) == (utc(23, 9), utc(23, 17))


def test_the_times_are_those_of_the_zone() -> None:
    assert replace(NIGHT, zone=BERLIN).next_opening(utc(22, 12)) == (utc(22, 21), utc(23, 4))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("22:00-05:00", "28 22:00+0100 to 29 05:00+0200"),
        ("02:00-03:00", "29 03:00+0200 to 29 04:00+0200"),
        ("02:15-02:45", "29 03:15+0200 to 29 03:45+0200"),
        ("02:30-03:15", "29 03:30+0200 to 29 04:15+0200"),
        ("01:00-02:30", "29 01:00+0100 to 29 03:30+0200"),
    ],
)
def test_in_the_night_that_skips_an_hour_each_window_opens_once(text: str, expected: str) -> None:
    noon = datetime(2026, 3, 28, 12, tzinfo=UTC)
    opening = replace(parse(text), zone=BERLIN).next_opening(noon)
    assert in_berlin(text, opening) == f"{text}: {expected}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("22:00-05:00", "24 22:00+0200 to 25 05:00+0100"),
        ("02:30-02:45", "25 02:30+0200 to 25 02:45+0200"),
        ("01:00-02:30", "25 01:00+0200 to 25 02:30+0200"),
    ],
)
def test_in_the_night_that_repeats_an_hour_each_window_opens_once(
    text: str, expected: str
) -> None:
    noon = datetime(2026, 10, 24, 12, tzinfo=UTC)
    first, second = islice(replace(parse(text), zone=BERLIN).openings(noon), 2)
    assert in_berlin(text, first) == f"{text}: {expected}"
    assert second.opens_at.astimezone(BERLIN).day == first.opens_at.astimezone(BERLIN).day + 1


@pytest.mark.parametrize("text", ["22:00-05:00", "02:00-03:00", "02:30-02:29", "00:10-24:00"])
def test_in_a_whole_year_openings_neither_overlap_nor_leave_a_day_out(text: str) -> None:
    window = replace(parse(text), zone=BERLIN)
    year = list(islice(window.openings(datetime(2026, 1, 1, tzinfo=UTC)), 366))
    for one, following in pairwise(year):
        assert one.opens_at < one.closes_at <= following.opens_at
        assert following.opens_at - one.opens_at <= timedelta(hours=25)


@pytest.mark.parametrize(
    ("due_at", "ends_at"),
    [
        (utc(22, 12), utc(23, 5)),
        (utc(22, 23), utc(23, 5)),
        (utc(23, 1, 30), utc(23, 5)),
        (utc(23, 1, 31), utc(24, 5)),
        (utc(23, 5), utc(24, 5)),
    ],
)
def test_a_chance_is_half_an_opening_at_least(due_at: datetime, ends_at: datetime) -> None:
    assert NIGHT.chance_ends_at(due_at) == ends_at
