import pytest

from staffeln_cli.model import Backup, Kind, State
from staffeln_cli.model.durations import Duration, parse
from staffeln_cli.model.naming import RECORD_KEY
from staffeln_cli.planning.chains.summary import summary_of
from staffeln_cli.planning.protection.full_or_incremental import (
    ChainLimits,
    NextBackup,
    next_backup,
    planned,
    refused,
    without_waiting,
)
from tests.build import NOW, a_backup, ago, an_inventory_volume

FULL = a_backup("f1", days_old=9)
CHAIN = [
    FULL,
    a_backup("i1", days_old=8, incremental=True),
    a_backup("i2", days_old=7, incremental=True),
]


def after(
    *backups: Backup,
    size_gib: int = 10,
    depth: int = 6,
    max_age: Duration | None = None,
    lost_days_ago: float | None = None,
    failed_days_ago: float | None = None,
) -> NextBackup:
    return next_backup(
        summary_of(backups),
        ChainLimits(depth, max_age),
        NOW,
        volume_size_gib=size_gib,
        newest_unrestorable=None if lost_days_ago is None else ago(days=lost_days_ago),
        proof_failed_at=None if failed_days_ago is None else ago(days=failed_days_ago),
    )


def test_a_sound_chain_is_continued_by_an_incremental_that_names_its_full() -> None:
    assert after(*CHAIN) == NextBackup(Kind.INCREMENTAL, "incremental 3 of 6", FULL.id)


def test_the_first_backup_is_a_full_one() -> None:
    for nothing in (None, summary_of([])):
        found = next_backup(
            nothing, ChainLimits(6, None), NOW, volume_size_gib=1, newest_unrestorable=NOW
        )
        assert found == NextBackup(Kind.FULL, "there is no full backup to depend on")


def test_incrementals_without_a_full_are_not_continued() -> None:
    assert after(*CHAIN[1:]).kind is Kind.FULL


def test_with_depth_zero_every_backup_is_a_full_one() -> None:
    assert after(*CHAIN, depth=0) == NextBackup(Kind.FULL, "every backup is a full one (depth 0)")


@pytest.mark.parametrize(("depth", "kind"), [(2, Kind.FULL), (3, Kind.INCREMENTAL)])
def test_a_full_follows_as_many_incrementals_as_configured(depth: int, kind: Kind) -> None:
    assert after(*CHAIN, depth=depth).kind is kind


@pytest.mark.parametrize("status", ["error", "creating", "deleting"])
def test_a_full_is_next_while_a_member_is_not_available(status: str) -> None:
    found = after(*CHAIN, a_backup("i3", incremental=True, status=status))
    assert found == NextBackup(Kind.FULL, "a backup of the last chain is not available")


def test_a_full_follows_a_chain_that_lost_a_member_to_somebody_else() -> None:
    for lost_days_ago in (9, 8):
        kind, reason = after(*CHAIN, lost_days_ago=lost_days_ago)[:2]
        assert kind is Kind.FULL
        assert reason == "the last chain is broken: one of its backups is missing, or in error"


def test_what_went_missing_before_the_newest_full_breaks_nothing() -> None:
    assert after(*CHAIN, lost_days_ago=9.1).kind is Kind.INCREMENTAL


def test_a_full_follows_when_the_volume_has_grown() -> None:
    found = after(*CHAIN, size_gib=11)
    assert found == NextBackup(Kind.FULL, "the volume has grown from 10 to 11 GiB")


def test_a_full_follows_when_the_volume_has_shrunk() -> None:
    found = after(*CHAIN, size_gib=9)
    assert found == NextBackup(Kind.FULL, "the volume has shrunk from 10 to 9 GiB")


def test_a_full_follows_when_the_chain_is_too_old() -> None:
    assert after(*CHAIN, max_age=parse("9d")).kind is Kind.INCREMENTAL
    found = after(*CHAIN, max_age=parse("8d"))
    assert found == NextBackup(Kind.FULL, "the last chain is older than it may become")


def test_a_full_follows_a_full_of_a_snapshot_whose_data_may_be_older() -> None:
    found = after(*CHAIN, a_backup("f2", days_old=6, snapshot_days_old=6.5))
    assert found == NextBackup(Kind.FULL, "the last full backup is of a snapshot")


def ours_in(location: str, name: str, *, days_old: float, incremental: bool = False) -> Backup:
    """A backup that Staffeln made, in this zone and container."""
    return a_backup(
        name,
        days_old=days_old,
        incremental=incremental,
        location=location,
        metadata={RECORD_KEY: f"record of {name}"},
    )


def test_a_full_follows_a_backup_in_another_zone_or_container() -> None:
    ours = ours_in("az1", "f1", days_old=9), ours_in("az1", "i1", days_old=8, incremental=True)
    assert after(*ours).kind is Kind.INCREMENTAL
    for elsewhere in (
        a_backup("x", days_old=7, location="az2"),
        a_backup("x", days_old=7, location="az1/shelf", incremental=True),
    ):
        for order in ((*ours, elsewhere), (elsewhere, *reversed(ours))):
            assert after(*order).kind is Kind.FULL


def test_the_chain_after_such_a_full_is_continued() -> None:
    earlier = ours_in("az1", "f1", days_old=9), a_backup("x", days_old=7, location="az2")
    chain = *earlier, ours_in("az1", "f2", days_old=6)
    assert after(*chain).kind is Kind.INCREMENTAL
    assert after(*reversed(chain)).kind is Kind.INCREMENTAL


def test_a_full_follows_an_incremental_whose_parent_is_elsewhere() -> None:
    moved = ours_in("az1", "f1", days_old=9), ours_in("az2", "i1", days_old=8, incremental=True)
    found = after(*moved)
    assert found.reason == "the last chain is in several availability zones or containers"


def test_a_place_that_is_not_known_yet_is_no_other_place() -> None:
    ours = ours_in("az1", "f1", days_old=9), ours_in("", "i1", days_old=8, incremental=True)
    assert after(*ours).kind is Kind.INCREMENTAL


def test_a_planned_record_takes_what_the_inventory_says_of_the_volume() -> None:
    volume = an_inventory_volume(server_name="web", last_started_at=ago(days=2))
    record = planned(volume, after(*CHAIN), NOW, token="00ff")
    assert (record.id, record.name.endswith("00ff")) == ("00ff", True)
    assert (record.kind, record.chain_id) == (Kind.INCREMENTAL, FULL.id)
    assert (record.state, record.planned_at) == (State.PLANNED, NOW)
    assert (record.server_name, record.waiting_since) == ("web", ago(days=2))


def test_a_volume_in_a_bad_status_gets_a_record_that_failed_at_once() -> None:
    record = refused(an_inventory_volume(), "its status is error", NOW, token="00ff")
    assert (record.state, record.reason) == (State.FAILED, "its status is error")
    assert record.finished_at == NOW


def test_after_a_failed_restore_drill_a_new_chain_is_begun_once() -> None:
    found = after(*CHAIN, failed_days_ago=1)
    assert found == NextBackup(Kind.FULL, "a restore drill of the last chain failed")
    assert after(*CHAIN, failed_days_ago=10).kind is Kind.INCREMENTAL


def test_an_incremental_waits_while_a_backup_of_its_chain_is_restored() -> None:
    restored = [CHAIN[0], CHAIN[1]._replace(status="restoring"), CHAIN[2]]
    found = after(*restored)
    assert (found.kind, found.waits) == (Kind.INCREMENTAL, True)
    assert "is being restored" in found.reason
    assert without_waiting(found).kind is Kind.FULL
    assert without_waiting(after(*CHAIN)) == after(*CHAIN)


def test_a_full_backup_does_not_wait_for_a_restore() -> None:
    restored = [CHAIN[0], CHAIN[1]._replace(status="restoring"), CHAIN[2]]
    assert not after(*restored, size_gib=11).waits
    broken = [*restored, a_backup("i3", days_old=6, incremental=True, status="error")]
    assert after(*broken) == NextBackup(Kind.FULL, "a backup of the last chain is not available")
