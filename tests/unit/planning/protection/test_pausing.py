"""Which pause a volume is under, and how it is told."""

from datetime import datetime, timedelta
from typing import Any

from staffeln_cli.model import ServerId
from staffeln_cli.model.pauses import Pause, PauseScope
from staffeln_cli.planning.protection.pausing import Pauses, described
from tests.build import NOW, ago, an_inventory_volume

VOLUME = an_inventory_volume("v1", server_id=ServerId("s1"))


def a_pause(scope: PauseScope, item: str = "", **more: Any) -> Pause:
    facts: dict[str, Any] = {
        "item_name": "",
        "reason": None,
        "since": ago(days=1),
        "until": None,
        "paused_by": "ann@host",
    }
    return Pause(scope, item, **facts | more)


OF_VOLUME = a_pause(PauseScope.VOLUME, "v1")
OF_SERVER = a_pause(PauseScope.SERVER, "s1")
OF_PROJECT = a_pause(PauseScope.PROJECT, "p1")
OF_ALL = a_pause(PauseScope.ALL)


def holding(*pauses: Pause, now: datetime = NOW) -> Pause | None:
    return Pauses(pauses, now).of(VOLUME)


def test_of_several_pauses_the_narrowest_is_told() -> None:
    assert holding(OF_ALL) == OF_ALL
    assert holding(OF_ALL, OF_PROJECT) == OF_PROJECT
    assert holding(OF_ALL, OF_PROJECT, OF_SERVER) == OF_SERVER
    assert holding(OF_ALL, OF_PROJECT, OF_SERVER, OF_VOLUME) == OF_VOLUME


def test_a_pause_of_something_else_does_not_hold() -> None:
    other = a_pause(PauseScope.VOLUME, "v2")
    assert holding(other) is None
    assert Pauses([OF_SERVER], NOW).of(an_inventory_volume("v1", server_id=None)) is None


def test_a_pause_ends_by_itself() -> None:
    short = a_pause(PauseScope.ALL, until=NOW)
    assert holding(short, now=NOW - timedelta(seconds=1)) == short
    assert holding(short) is None
    assert not Pauses([short], NOW)
    assert list(Pauses([short, OF_VOLUME], NOW)) == [OF_VOLUME]


def test_a_pause_is_told_with_its_end_its_reason_and_who_asked_for_it() -> None:
    moving = a_pause(
        PauseScope.SERVER, "s1", item_name="web", until=NOW, reason="it moves to the new site"
    )
    assert described(moving) == (
        "server web is paused since 2026-11-21 22:00 UTC until 2026-11-22 22:00 UTC by ann@host:"
        " it moves to the new site"
    )
    assert described(OF_ALL) == "everything is paused since 2026-11-21 22:00 UTC by ann@host"
    assert described(OF_VOLUME).startswith("volume v1 is paused")


def test_programs_see_neither_an_empty_id_nor_an_empty_name() -> None:
    assert OF_ALL.as_json() == {
        "scope": "all",
        "id": None,
        "name": None,
        "reason": None,
        "since": ago(days=1),
        "until": None,
        "by": "ann@host",
    }
