"""What the inventory keeps of a volume from one pass to the next."""

from staffeln_cli.model import InventoryVolume, ProjectId, Protection, ServerId, SkipCause
from tests.build import NOW, a_volume, ago, an_inventory_volume

PROTECTED = Protection(protected=True)
UNMARKED = Protection(
    protected=False, skip_reason="its server is not marked", skip_cause=SkipCause.UNMARKED
)


def test_the_end_of_a_protection_is_kept_with_its_cause() -> None:
    row = InventoryVolume.seen(a_volume(), UNMARKED, NOW, known=an_inventory_volume())
    assert (row.protection_ended_at, row.protection_end_cause) == (NOW, SkipCause.UNMARKED)


def test_an_end_stays_the_first_one_however_often_the_volume_is_seen() -> None:
    ended = an_inventory_volume(
        protected=False, protection_ended_at=ago(days=2), protection_end_cause=SkipCause.DETACHED
    )
    row = InventoryVolume.seen(a_volume(), UNMARKED, NOW, known=ended)
    assert row.protection_ended_at == ago(days=2)
    assert row.protection_end_cause is SkipCause.DETACHED


def test_a_volume_that_is_protected_again_has_no_end() -> None:
    ended = an_inventory_volume(protected=False, protection_ended_at=ago(days=2))
    row = InventoryVolume.seen(a_volume("s1"), PROTECTED, NOW, known=ended)
    assert row.protection_ended_at is None


def test_a_volume_that_never_was_protected_has_no_end() -> None:
    row = InventoryVolume.seen(a_volume(), UNMARKED, NOW, known=None)
    assert row.protection_ended_at is None


def test_a_volume_that_is_seen_is_suspected_no_longer() -> None:
    suspected = an_inventory_volume(suspected_gone_at=ago(hours=1))
    row = InventoryVolume.seen(a_volume("s1"), PROTECTED, NOW, known=suspected)
    assert row.suspected_gone_at is None


def test_a_volume_that_is_new_begins_its_history_now() -> None:
    row = InventoryVolume.seen(a_volume("s1"), PROTECTED, NOW, known=None)
    assert (row.first_seen_at, row.protected_since, row.expected_since) == (NOW, NOW, NOW)
    assert (row.last_started_at, row.last_success_at, row.failures) == (None, None, 0)


def test_a_new_volume_with_imported_backups_has_the_newest_as_its_last_success() -> None:
    row = InventoryVolume.seen(
        a_volume("s1"), PROTECTED, NOW, known=None, succeeded_at=ago(days=3)
    )
    assert (row.last_started_at, row.last_success_at) == (ago(days=3), ago(days=3))


def test_what_the_cloud_shows_is_replaced_and_the_history_of_backups_is_kept() -> None:
    known = an_inventory_volume(
        status="available",
        protected_since=ago(days=9),
        first_seen_at=ago(days=10),
        last_started_at=ago(hours=2),
        last_success_at=ago(days=2),
        last_failed_at=ago(hours=1),
        failures=2,
        retained_as="time=7d keep_last=1",
    )
    row = InventoryVolume.seen(a_volume("s1"), PROTECTED, NOW, known=known)
    assert (row.status, row.server_name) == ("in-use", "")
    kept = [
        *("protected_since", "first_seen_at", "last_started_at", "last_success_at"),
        *("last_failed_at", "failures", "retained_as"),
    ]
    assert [getattr(row, name) for name in kept] == [getattr(known, name) for name in kept]
    assert row.expected_since == ago(days=9)


def test_a_new_owner_begins_without_the_history_of_the_former_one() -> None:
    known = an_inventory_volume(
        server_id=ServerId("s1"),
        last_success_at=ago(days=1),
        proven_at=ago(days=2),
        failures=3,
        retention="1y",
        retention_before="2y",
        retention_shortened_at=ago(hours=1),
        first_seen_at=ago(days=10),
    )
    row = known.transferred(ProjectId("p2"), "5d")
    assert (row.project_id, row.server_id, row.retention) == ("p2", None, "5d")
    assert (row.last_success_at, row.proven_at, row.failures) == (None, None, 0)
    assert (row.retention_before, row.retention_shortened_at) == (None, None)
    assert row.first_seen_at == ago(days=10)


def test_users_metadata_are_told_from_what_cinder_shows_among_them() -> None:
    shown = {"role": "db", "readonly": "False", "attached_mode": "rw"}
    assert a_volume(metadata=shown).user_metadata == {"role": "db"}
    assert a_volume(metadata={"role": "db"}).user_metadata == {"role": "db"}
