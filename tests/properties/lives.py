"""What may happen to one volume's backups, as events that a simulated Cinder lives through."""

from collections.abc import Callable
from datetime import datetime, timedelta

from hypothesis import strategies as st

from staffeln_cli.model import BackupId
from tests.properties.cinder import Cinder, Refused

Event = Callable[[Cinder], None]

SOME_TIME = st.sampled_from(
    [timedelta(), timedelta(seconds=1), timedelta(minutes=40), timedelta(hours=23), timedelta(6)]
)
RUN_TIME = timedelta(minutes=20)


def night(incremental: bool, hours: int) -> Event:
    """A backup of the volume, made and finished undisturbed."""

    def happens(cinder: Cinder) -> None:
        cinder.now += timedelta(hours=hours)
        make(cinder, incremental=incremental, snapshot=None, at_once=True)

    return happens


def make(
    cinder: Cinder, *, incremental: bool, snapshot: datetime | None, at_once: bool
) -> BackupId | None:
    """Ask for a backup; None if Cinder refuses."""
    try:
        new = cinder.create(incremental=incremental, snapshot=snapshot)
    except Refused:
        return None
    if at_once:
        cinder.now += RUN_TIME
        cinder.finish(new, well=True)
    return new


def overlapping(incremental: bool, snapshot_age: timedelta | None) -> Event:
    """A backup that does not end by itself, of the volume or of a snapshot."""

    def happens(cinder: Cinder) -> None:
        snapshot = None if snapshot_age is None else cinder.now - snapshot_age
        make(cinder, incremental=incremental, snapshot=snapshot, at_once=False)

    return happens


def night_during_restore(cinder: Cinder) -> None:
    """The newest backup is being restored while an incremental is made."""
    cinder.now += timedelta(hours=23)
    whole = [row for row in cinder.rows.values() if row.status == "available"]
    restored = max(whole, key=lambda row: row.data_timestamp, default=None)
    if restored is not None:
        cinder.begin_restore(restored.id)
    make(cinder, incremental=True, snapshot=None, at_once=True)
    if restored is not None:
        cinder.end_restore(restored.id)


def night_during_snapshot_backup(incremental: bool, age: timedelta) -> Event:
    """Somebody's backup of a snapshot begins before an incremental and ends after it."""

    def happens(cinder: Cinder) -> None:
        cinder.now += timedelta(hours=23)
        snapshot = cinder.now - age
        begun = make(cinder, incremental=incremental, snapshot=snapshot, at_once=False)
        cinder.now += timedelta(minutes=1)
        make(cinder, incremental=True, snapshot=None, at_once=True)
        if begun is not None:
            cinder.finish(begun, well=True)

    return happens


def snapshot_backup(incremental: bool, age: timedelta) -> Event:
    def happens(cinder: Cinder) -> None:
        cinder.now += timedelta(hours=1)
        snapshot = cinder.now - age
        make(cinder, incremental=incremental, snapshot=snapshot, at_once=True)

    return happens


def pause(length: timedelta) -> Event:
    def happens(cinder: Cinder) -> None:
        cinder.now += length

    return happens


def change(old: str, place: int, what: Callable[[Cinder, BackupId], None]) -> Event:
    """Something happens to one of the backups in a status."""

    def happens(cinder: Cinder) -> None:
        found = sorted(row.id for row in cinder.rows.values() if row.status == old)
        if found:
            what(cinder, found[place % len(found)])

    return happens


def _finish(cinder: Cinder, backup: BackupId) -> None:
    cinder.finish(backup, well=True)


def _fail(cinder: Cinder, backup: BackupId) -> None:
    cinder.finish(backup, well=False)


def _try_to_delete(cinder: Cinder, backup: BackupId) -> None:
    if not cinder.children(backup):
        cinder.delete(backup)


PLACES = st.integers(0, 20)
NIGHTS = st.builds(night, st.sampled_from([True, True, True, False]), st.integers(1, 48))
AGES = st.integers(0, 14).map(lambda half_days: timedelta(hours=12 * half_days))
SNAPSHOTS = st.builds(snapshot_backup, st.booleans(), AGES) | st.builds(
    night_during_snapshot_backup, st.booleans(), AGES
)
OVERLAPS = st.builds(overlapping, st.booleans(), st.none() | SOME_TIME)
CALM: st.SearchStrategy[Event] = st.one_of(
    NIGHTS,
    NIGHTS,
    SNAPSHOTS,
    st.builds(pause, SOME_TIME),
    OVERLAPS,
    st.builds(change, st.just("creating"), PLACES, st.sampled_from([_finish, _finish, _fail])),
    st.builds(change, st.sampled_from(["available", "error"]), PLACES, st.just(_try_to_delete)),
    st.builds(change, st.just("deleting"), PLACES, st.just(Cinder.vanish)),
    st.builds(change, st.just("available"), PLACES, st.just(Cinder.export)),
)
RESTORES = (
    st.just(night_during_restore)
    | st.builds(change, st.just("available"), PLACES, st.just(Cinder.begin_restore))
    | st.builds(change, st.just("restoring"), PLACES, st.just(Cinder.end_restore))
)


def lives(events: st.SearchStrategy[Event], *, racy: bool) -> st.SearchStrategy[Cinder]:
    def lived(happened: list[Event]) -> Cinder:
        cinder = Cinder(racy=racy)
        make(cinder, incremental=False, snapshot=None, at_once=True)
        for event in happened:
            event(cinder)
        return cinder

    return st.lists(events, min_size=12, max_size=40).map(lived)


CALM_LIVES = lives(CALM, racy=False)
WILD_LIVES = lives(st.one_of(NIGHTS, RESTORES, CALM), racy=True)
