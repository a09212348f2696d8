"""Durations written out."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffeln_cli.model.durations import Duration, parse


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
