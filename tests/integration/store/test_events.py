"""Events are written with what happened, once, on both databases."""

from datetime import timedelta

from staffeln_cli.model import Event, EventKind, ProjectId, VolumeId
from staffeln_cli.model.pauses import Pause, PauseScope
from staffeln_cli.store import Store
from tests.build import NOW, ago, an_inventory_volume
from tests.integration.store.builders import available

WHO = "ann@backup-1"


def events(store: Store) -> list[Event]:
    return store.events.between(ago(days=1), NOW + timedelta(days=1))


def test_a_pin_and_its_release_are_on_record_with_who_and_why(store: Store) -> None:
    record = available(store)
    assert store.notes.pin(record, NOW, note="a trial", who=WHO)
    (pinned,) = store.records.by_record_ids([record.id])
    for _ in range(2):  # the second release changes nothing
        store.notes.release(pinned, NOW + timedelta(hours=1), who="bob@backup-1")
    about = (record.name, record.project_id, record.volume_id)
    assert events(store) == [
        Event(NOW, EventKind.PINNED, WHO, *about, reason="a trial"),
        Event(
            *(NOW + timedelta(hours=1), EventKind.RELEASED, "bob@backup-1"),
            *about,
            reason="a trial",
        ),
    ]


def test_a_backup_that_cannot_be_kept_leaves_no_event(store: Store) -> None:
    record = available(store)
    assert store.lifecycle.deleting(record, "expired", next_try_at=NOW)
    assert not store.notes.pin(record, NOW, note=None, who=WHO)
    assert events(store) == []


def test_a_pause_and_its_end_are_on_record(store: Store) -> None:
    later = NOW + timedelta(hours=1)
    pause = Pause(PauseScope.VOLUME, "v1", "data", "it moves", NOW, None, WHO)
    everything = Pause(PauseScope.ALL, "", "", "moving", NOW, None, WHO)
    project = Pause(PauseScope.PROJECT, "p1", "shop", None, later, None, WHO)
    store.pauses.save(pause)
    assert store.pauses.resume(pause._replace(since=later, reason=None))
    assert not store.pauses.resume(pause._replace(since=later))
    store.pauses.save(everything._replace(since=later + timedelta(hours=1)))
    store.pauses.save(project._replace(since=later + timedelta(hours=2)))
    kinds = [(one.kind, one.item, one.volume_id, one.project_id) for one in events(store)]
    assert kinds == [
        (EventKind.PAUSED, "volume data", VolumeId("v1"), None),
        (EventKind.RESUMED, "volume data", VolumeId("v1"), None),
        (EventKind.PAUSED, "everything", None, None),
        (EventKind.PAUSED, "project shop", None, ProjectId("p1")),
    ]


def test_only_what_differs_from_the_last_configuration_is_on_record(store: Store) -> None:
    moments = [NOW + timedelta(minutes=minutes) for minutes in range(4)]
    for moment, terms in zip(
        moments,
        ({"a": "1", "b": "2"}, {"a": "1", "b": "2"}, {"a": "3"}, {"a": "3"}),
        strict=True,
    ):
        store.events.note_terms(terms, moment, who="backup-1")
    found = [(one.at, one.item, one.before, one.after) for one in events(store)]
    assert sorted(found) == [
        (moments[0], "a", None, "1"),
        (moments[0], "b", None, "2"),
        (moments[2], "a", "1", "3"),
        (moments[2], "b", "2", None),
    ]


def test_terms_of_volumes_are_noted_with_the_events_of_their_changes(store: Store) -> None:
    store.inventory.save([an_inventory_volume("v1")])
    event = Event(NOW, EventKind.POLICY, "the configuration", "v1", before="time=3w", after="")
    store.inventory.note_retention_terms({VolumeId("v1"): "time=1w"}, [event])
    assert store.inventory.volumes([VolumeId("v1")])[VolumeId("v1")].retained_as == "time=1w"
    assert events(store) == [event]


def test_what_lies_outside_the_period_is_not_told(store: Store) -> None:
    store.observations.note_confirmed("retain", NOW, who=WHO, reason="so many")
    assert len(store.events.between(ago(days=1), NOW)) == 1
    assert store.events.between(NOW, NOW + timedelta(days=1)) == []
    assert store.events.between(ago(days=2), ago(days=1)) == []
