"""`staffeln status` says how long the present work will take."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from staffeln_cli.model import State
from tests.build import a_backup, a_record


def taught(past: Any, *volumes: str, minutes: int = 60) -> None:
    """Volumes of which one full backup has taken so long."""
    for name in volumes:
        past.volume(name)
        start = past.ago(days=1)
        record = a_record(f"id-{name}", state=State.CREATING, planned_at=start, started_at=start)
        past.store.lifecycle.plan([record])
        end = start + timedelta(minutes=minutes)
        past.store.lifecycle.finished(record, a_backup(record.name), end)


def now_at(past: Any, volume: str, state: State = State.CREATING, minutes: int = 20) -> None:
    past.backup(f"{volume}-now", state, volume=volume, started_at=past.ago(minutes=minutes))


def line(staffeln: Any, name: str) -> str:
    found = [one for one in staffeln("status").stdout.splitlines() if one.startswith(name)]
    return " ".join(found[0].split()) if found else ""


def test_without_work_nothing_is_said(staffeln: Any, past: Any) -> None:
    taught(past, "root")
    assert line(staffeln, "work") == ""
    assert staffeln("status", "-f", "json").json["work"]["done_at"] is None


def test_a_running_backup_has_what_is_left_of_its_usual_time(staffeln: Any, past: Any) -> None:
    taught(past, "root")
    now_at(past, "root")
    assert line(staffeln, "work") == "work 1 running, about 40 min left"
    assert line(staffeln, "full") == "full root 20 min about 40 min"


def test_the_backlog_has_a_time_at_which_it_is_done(staffeln: Any, past: Any) -> None:
    staffeln.set(BACKUP_MAX_IN_FLIGHT_PER_PROJECT="1")
    taught(past, "root", "home")
    now_at(past, "root")
    past.backup("waiting", State.PLANNED, volume="home")
    end = past.now + timedelta(minutes=100)
    day = "" if end.date() == past.now.date() else f"{end:%Y-%m-%d} "
    expected = f"1 running, about 40 min left; 1 waiting, done about {day}{end:%H:%M} UTC"
    assert line(staffeln, "work") == f"work {expected}"
    assert staffeln("status", "-f", "json").json["work"]["done_at"] == f"{end:%Y-%m-%dT%H:%M:%SZ}"


def test_a_backup_that_takes_longer_than_usual_is_named_so(staffeln: Any, past: Any) -> None:
    taught(past, "root")
    now_at(past, "root", minutes=90)
    assert line(staffeln, "work") == "work 1 running, should be done by now"
    assert line(staffeln, "full") == "full root 90 min 30 min longer than usual"


def test_the_first_backup_of_all_promises_nothing(staffeln: Any, past: Any) -> None:
    past.volume("root")
    now_at(past, "root")
    past.backup("waiting", State.PLANNED, volume="home")
    assert line(staffeln, "work") == "work 1 running; 1 waiting"
    assert line(staffeln, "full") == "full root 20 min not known yet"
    (running,) = staffeln("status", "-f", "json").json["work"]["running"]
    assert (running["volume_id"], running["done_at"]) == ("id-root", None)


@pytest.mark.parametrize("number", [5, 7])
def test_the_five_that_take_longest_are_named(staffeln: Any, past: Any, number: int) -> None:
    names = [f"disk-{one}" for one in range(number)]
    taught(past, *names)
    for place, name in enumerate(names):
        now_at(past, name, minutes=place)
    text = staffeln("status").stdout
    assert [name for name in names if name in text] == names[:5]


@pytest.mark.parametrize(
    ("opens_in", "hours", "said"),
    [
        (-1, 4, "the window closes {end}, which suffices"),
        (2, 3, "the window opens {begin} and closes {end}, which suffices"),
        (2, 1, "the window opens {begin} and closes {end}, too early: the last would start about"),
    ],
)
def test_the_work_says_whether_the_window_suffices(
    staffeln: Any, past: Any, opens_in: int, hours: int, said: str
) -> None:
    staffeln.set(BACKUP_MAX_IN_FLIGHT_PER_PROJECT="1")
    names = ["root", "home", "logs"]
    taught(past, *names)
    for name in names:
        past.backup(f"{name}-waits", State.PLANNED, volume=name)
    begin = past.now.replace(second=0, microsecond=0) + timedelta(hours=opens_in)
    end = begin + timedelta(hours=hours)
    staffeln.set(BACKUP_WINDOW=f"{begin:%H:%M}-{end:%H:%M}")
    shown = {"begin": at(begin, past.now), "end": at(end, past.now)}
    assert said.format(**shown) in line(staffeln, "work")
    found = staffeln("status", "-f", "json").json["work"]["window"]
    assert found["opens_at"] == f"{begin:%Y-%m-%dT%H:%M:%SZ}"
    assert found["suffices"] is ("suffices" in said)


def at(moment: datetime, now: datetime) -> str:
    day = "" if moment.date() == now.date() else f"{moment:%Y-%m-%d} "
    return f"{day}{moment:%H:%M} UTC"
