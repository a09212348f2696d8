"""What goes through the database's JSON comes out as it went in."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from staffeln_cli.model import BackupId, Kind, RecordBrief, State, VolumeId
from staffeln_cli.store import Store
from tests.build import NOW, a_record, an_inventory_volume

HOSTILE = [
    'say "yes", \\n is no newline',
    "null",
    "true",
    "\x01\x1b[31m\r\n\t\x7f",
    "Größe \U0001f4be \u2028 \ufffd",
    "]}'; DROP TABLE volumes; --",
    " ",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_comes_back_as_it_was(store: Store, text: str) -> None:
    row = an_inventory_volume(volume_name=text, server_name=text, skip_reason=text, retention=text)
    store.inventory.save([row])
    assert store.inventory.volumes([row.volume_id]) == {row.volume_id: row}


def test_every_column_comes_back_as_it_was(store: Store) -> None:
    moment = datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=UTC)
    row = an_inventory_volume(
        server_id="s1",
        size_gib=1 << 20,
        volume_type="ssd",
        availability_zone="nova",
        bootable=True,
        encrypted=True,
        protected=False,
        bad_retention="soon",
        first_seen_at=moment,
        last_seen_at=moment.replace(microsecond=0),
        protected_since=moment.astimezone(timezone(timedelta(hours=5, minutes=30))),
        gone_at=moment.replace(microsecond=120000),
    )
    store.inventory.save([row])
    assert store.inventory.volumes([row.volume_id]) == {row.volume_id: row}
    (found,) = store.inventory.volumes([row.volume_id]).values()
    assert found.protected_since is not None
    assert found.protected_since.tzinfo is UTC


def test_a_thousand_are_found_and_strangers_are_not(store: Store) -> None:
    rows = [an_inventory_volume(f"v{number}") for number in range(1200)]
    store.inventory.save(rows)
    asked = [*(one.volume_id for one in rows), VolumeId("stranger")]
    assert store.inventory.volumes(asked) == {one.volume_id: one for one in rows}
    assert store.inventory.volumes([VolumeId("stranger")]) == {}
    assert store.inventory.volumes([]) == {}


def test_briefs_tell_of_each_backup_what_its_record_says(store: Store) -> None:
    full = a_record(
        backup_id="b1", state=State.AVAILABLE, started_at=NOW, pinned=True, pin_note='"x"'
    )
    incremental = a_record(
        backup_id="b2",
        state=State.CREATING,
        kind=Kind.INCREMENTAL,
        chain_id="b1",
        started_at=NOW + timedelta(microseconds=1),
    )
    store.lifecycle.plan([full, incremental, a_record("v2")])
    found = store.records.briefs([VolumeId("v1"), VolumeId("v2")])
    assert found == {one.brief.backup_id: one.brief for one in (full, incremental) if one.brief}
    assert found[BackupId("b2")] == RecordBrief(
        BackupId("b2"), State.CREATING, NOW + timedelta(microseconds=1), BackupId("b1")
    )


def test_the_session_of_postgresql_may_have_any_zone_and_style(postgresql_url: str) -> None:
    between = "&" if "?" in postgresql_url else "?"
    style = "-ctimezone=Asia/Kolkata%20-cdatestyle=German"
    store = Store(f"{postgresql_url}{between}options={style}", clock=lambda: NOW)
    row = an_inventory_volume(gone_at=NOW + timedelta(microseconds=5))
    store.inventory.save([row])
    assert store.inventory.volumes([row.volume_id]) == {row.volume_id: row}
    store.close()
