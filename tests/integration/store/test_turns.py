"""Which planned backups are started next: projects take turns, within the caps."""

from datetime import timedelta

from staffeln_cli.model import ProjectId
from staffeln_cli.store import Caps, Store
from tests.build import NOW
from tests.integration.store.builders import PLENTY, a_claim, planned


def test_projects_take_turns_whatever_they_add(store: Store) -> None:
    waited = NOW - timedelta(days=9)
    planned(store, 1, project_id=ProjectId("patient"), waiting_since=waited)
    for name in ("a", "b", "c", "d"):
        planned(store, 8, project_id=ProjectId(name))
    caps = Caps(total=32, per_project=8)
    taken = store.lifecycle.claim_next(a_claim(), caps=caps, limit=10)
    projects = [one.project_id for one in taken]
    assert (sorted(projects[:5]), sorted(projects[5:9])) == ([*"abcd", "patient"], [*"abcd"])


def test_a_project_with_many_backups_in_flight_waits_for_its_turn(store: Store) -> None:
    planned(store, 8, project_id=ProjectId("busy"))
    store.lifecycle.claim_next(a_claim(), caps=PLENTY, limit=4)
    planned(store, 3, project_id=ProjectId("idle"))
    taken = store.lifecycle.claim_next(a_claim(), caps=PLENTY, limit=4)
    assert [one.project_id for one in taken] == ["idle", "idle", "idle", "busy"]


def test_what_would_be_started_is_what_is_claimed(store: Store) -> None:
    planned(store, 5, project_id=ProjectId("a"))
    planned(store, 2, project_id=ProjectId("b"))
    caps = Caps(total=5, per_project=4)
    foreseen = [one.id for one in store.records.next_to_start(caps)]
    assert foreseen == [
        one.id for one in store.lifecycle.claim_next(a_claim(), caps=caps, limit=9)
    ]
    assert store.records.next_to_start(caps) == []
