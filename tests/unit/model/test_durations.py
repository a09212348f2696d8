"""Durations as operators write and read them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffeln_cli.model.durations import Duration, parse


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("20min", Duration(exact=timedelta(minutes=20))),
        (
            "1y2mon10d5h30min10s",
            Duration(14, timedelta(days=10, hours=5, minutes=30, seconds=10)),
        ),
        ("2W3D", Duration(exact=timedelta(days=17))),
        (" 1mon ", Duration(1)),
        ("0s", Duration()),
        ("100y", Duration(1200)),
    ],
)
def test_a_duration_is_read_as_operators_write_it(text: str, duration: Duration) -> None:
    assert parse(text) == duration


@pytest.mark.parametrize(
    "text", ["", " ", "1", "d", "3 weeks", "1d1w", "-1d", "1.5d", "\u0661d", "1d" * 64, "1min1mon"]
)
def test_anything_else_is_refused_and_shown(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration such as"):
        parse(text)


@pytest.mark.parametrize("text", ["100y1s", "101y", "1201mon", "40000d", "99999999999999999999s"])
def test_absurd_sizes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="longer than 100 years"):
        parse(text)


@pytest.mark.parametrize(
    ("moment", "text", "before"),
    [
        ("2026-03-31T10:00", "1mon", "2026-02-28T10:00"),
        ("2024-03-31T10:00", "1mon", "2024-02-29T10:00"),
        ("2026-01-15T10:00", "1mon", "2025-12-15T10:00"),
        ("2024-02-29T10:00", "1y", "2023-02-28T10:00"),
        ("2026-03-01T00:00", "1mon1d", "2026-01-31T00:00"),
        ("2026-03-01T00:00", "36h", "2026-02-27T12:00"),
    ],
)
def test_years_and_months_are_those_of_the_calendar(moment: str, text: str, before: str) -> None:
    assert parse(text).before(at(moment)) == at(before)


@pytest.mark.parametrize(
    ("moment", "text", "after"),
    [
        ("2026-01-31T10:00", "1mon", "2026-03-01T10:00"),
        ("2024-02-29T10:00", "1y", "2025-03-01T10:00"),
        ("2026-11-22T10:00", "2w", "2026-12-06T10:00"),
    ],
)
def test_something_is_so_old_at_the_first_moment_that_counts_back_to_it(
    moment: str, text: str, after: str
) -> None:
    assert parse(text).after(at(moment)) == at(after)


def test_only_no_time_at_all_is_false() -> None:
    assert not parse("0s")
    assert parse("1s")
    assert parse("1mon")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2w3d", "2w3d"),
        ("17d", "2w3d"),
        ("10d", "10d"),
        ("7d", "1w"),
        ("30d", "30d"),
        ("90d", "90d"),
        ("364d", "52w"),
        ("24h", "1d"),
        ("90min", "1h30min"),
        ("60s", "1min"),
        ("1y2mon10d5h30min10s", "1y2mon10d5h30min10s"),
        ("14mon", "1y2mon"),
        ("0s", "0s"),
    ],
)
def test_a_duration_is_written_in_the_units_people_use(text: str, written: str) -> None:
    assert str(parse(text)) == written


@given(st.integers(0, 1190), st.timedeltas(timedelta(), timedelta(days=300)))
def test_what_is_written_reads_back_as_the_same_duration(months: int, exact: timedelta) -> None:
    duration = Duration(months, timedelta(days=exact.days, seconds=exact.seconds))
    assert parse(str(duration)) == duration
