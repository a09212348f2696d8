"""Restorations in both databases: one under way for each item, written part by part."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from staffeln_cli.model import ProjectId
from staffeln_cli.model.restorations import (
    Part,
    PartKind,
    Restoration,
    RestorationId,
    RestorationState,
)
from staffeln_cli.store import Store
from tests.build import NOW, ago


def a_restoration(name: str = "r1", **more: Any) -> Restoration:
    """Of server s1, begun now."""
    columns: dict[str, Any] = {
        "id": RestorationId(name),
        "kind": PartKind.SERVER,
        "item_id": "s1",
        "item_name": "web",
        "project_id": ProjectId("p1"),
        "at": None,
        "begun_at": NOW,
    }
    return Restoration(**columns | more)


def a_part(restoration: Restoration, number: int = 0) -> Part:
    request = {"size_gib": 3, "metadata": {"a": "b"}}
    return Part(restoration.id, number, PartKind.VOLUME, "v1", f"v1-{number}", request)


def begun(store: Store, restoration: Restoration, parts: int = 1) -> list[Part]:
    wanted = [a_part(restoration, number) for number in range(parts)]
    store.restorations.begin(restoration, wanted)
    return wanted


def test_what_is_wanted_is_there_again_in_order(store: Store) -> None:
    one = a_restoration(at=ago(days=2))
    wanted = begun(store, one, parts=3)
    assert store.restorations.newest("s1") == one
    assert store.restorations.parts(one.id) == wanted


def test_of_an_item_one_restoration_is_under_way(store: Store) -> None:
    one = a_restoration()
    begun(store, one)
    with pytest.raises(IntegrityError):
        begun(store, a_restoration("r2"))
    store.restorations.end(one, RestorationState.DONE, NOW)
    begun(store, a_restoration("r2", begun_at=NOW + timedelta(seconds=1)))
    newest = store.restorations.newest("s1")
    assert newest is not None
    assert newest.id == "r2"


def test_one_that_was_dropped_is_not_the_newest(store: Store) -> None:
    one = a_restoration()
    begun(store, one)
    store.restorations.end(one, RestorationState.DROPPED, NOW)
    assert store.restorations.newest("s1") is None


def test_a_part_is_requested_made_and_made_again(store: Store) -> None:
    one = a_restoration()
    (part,) = begun(store, one)
    store.restorations.note_requested(part, NOW)
    store.restorations.note_made(part, "new", "another address")
    (made,) = store.restorations.parts(one.id)
    assert (made.requested_at, made.made_id, made.difference) == (NOW, "new", "another address")
    store.restorations.renew(part, "again")
    (renewed,) = store.restorations.parts(one.id)
    assert renewed == part._replace(name="again")


def test_those_that_ended_long_ago_are_forgotten_and_those_under_way_stay(store: Store) -> None:
    old, going = a_restoration(), a_restoration("r2", item_id="s2")
    begun(store, old, parts=2)
    begun(store, going)
    store.restorations.end(old, RestorationState.DONE, ago(days=100))
    store.restorations.forget(ago(days=90))
    assert store.restorations.newest("s1") is None
    assert store.restorations.parts(old.id) == []
    assert len(store.restorations.parts(going.id)) == 1
