"""The tables in golden/ are those of the algorithm of Proxmox Backup Server's prune simulator."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from staffeln_cli.planning.retention.periods import kept_by_count
from staffeln_cli.planning.retention.policy import Policy

GOLDEN = Path(__file__).parent / "golden"
CLASSIC = Policy(last=3, hourly=24, daily=13, weekly=8, monthly=11, yearly=9)


def every(step: timedelta, start: str, end: str) -> list[datetime]:
    """Moments from `start` to `end`, newest first."""
    first, last = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end))
    return [last - step * count for count in range((last - first) // step + 1)]


HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TABLES: dict[str, tuple[list[datetime], Policy]] = {
    "a-year-of-hours": (every(HOUR, "2025-11-22T00:30", "2026-11-22T21:30"), CLASSIC),
    "ten-years-of-days": (every(DAY, "2016-11-01T03:00", "2026-11-22T03:00"), CLASSIC),
    "leap-day": (
        every(HOUR * 6, "2023-12-01T05:00", "2024-03-05T23:00"),
        Policy(daily=6, weekly=3, monthly=4),
    ),
    "leap-day-ends-its-month": (
        every(DAY, "2023-09-01T23:00", "2024-05-05T23:00"),
        Policy(last=1, monthly=6),
    ),
    "week-53": (every(DAY, "2020-11-01T12:00", "2021-01-12T12:00"), Policy(daily=2, weekly=6)),
    "week-1-begins-in-december": (
        every(DAY, "2024-11-20T12:00", "2025-01-20T12:00"),
        Policy(weekly=5, monthly=2, yearly=2),
    ),
    "a-week-across-two-months": (
        every(DAY, "2026-01-01T12:00", "2026-03-08T12:00"),
        Policy(weekly=2, monthly=3),
    ),
    "days-without-a-backup-do-not-count": (
        every(DAY * 10, "2026-01-01T12:00", "2026-11-17T12:00"),
        Policy(hourly=2, daily=5, weekly=4, monthly=4),
    ),
}


def table(moments: list[datetime], policy: Policy) -> str:
    kept = zip(moments, kept_by_count(moments, policy), strict=True)
    return "".join(f"{moment:%Y-%m-%d %H:%M} {by.rule}\n" for moment, by in kept if by)


@pytest.mark.parametrize("name", TABLES)
def test_the_rules_keep_what_the_classic_tables_say(name: str) -> None:
    moments, policy = TABLES[name]
    assert table(moments, policy) == (GOLDEN / f"{name}.txt").read_text()


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_the_change_of_the_clocks_does_not_matter(day: str) -> None:
    """At these hours a server's local day has 23 or 25 of them; ours always has 24."""
    moments = every(HOUR, f"{day}T00:30", f"{day}T23:30")
    assert len(table(moments, Policy(hourly=24)).splitlines()) == 24
    assert len(table(moments, Policy(daily=9)).splitlines()) == 1


def test_periods_are_those_of_utc_wherever_the_moments_come_from() -> None:
    moments, policy = TABLES["leap-day"]
    abroad = [moment.astimezone(timezone(timedelta(hours=13))) for moment in moments]
    assert kept_by_count(abroad, policy) == kept_by_count(moments, policy)


def test_each_kept_one_names_its_period() -> None:
    moments = every(DAY, "2024-12-01T12:00", "2025-01-01T12:00")
    policy = Policy(last=1, hourly=1, daily=1, weekly=1, monthly=1, yearly=1)
    assert [tuple(by) for by in kept_by_count(moments, policy) if by] == [
        ("last", "the newest 1"),
        ("hourly", "2024-12-31T12"),
        ("daily", "2024-12-30"),
        ("weekly", "2024-W52"),
    ]


def test_without_counted_rules_or_moments_nothing_is_kept() -> None:
    assert kept_by_count([], Policy(last=3, daily=3)) == []
    assert kept_by_count(TABLES["leap-day"][0], Policy()) == [None] * len(TABLES["leap-day"][0])
