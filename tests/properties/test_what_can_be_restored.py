"""What our records alone say can be restored is what a listing of Cinder says, and is true."""

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete

from staffeln_cli.commands import backup, check, collect
from staffeln_cli.commands.doctor import orphans
from staffeln_cli.config import load
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import BackupId, State, VolumeId
from staffeln_cli.planning.chains.restorable import restorable_backups
from staffeln_cli.runtime import Runtime
from staffeln_cli.tables import backup_table
from tests.build import MARKED
from tests.properties.promises import whole

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
PROJECTS = ("shop", "bank")
PICKS = st.integers(0, 11)
SETTINGS = {
    "STAFFELN_BACKUP_FULL_BACKUP_DEPTH": "4",
    "STAFFELN_CLOUD_WORKERS": "1",
    "STAFFELN_CLOUD_RETRY_TIMEOUT": "1s",
}


class Restorable(RuleBasedStateMachine):
    """Backups are lost, break, return, are adopted and fork; volumes change hands."""

    cloud: ClassVar[SimCloud]
    template: ClassVar[Path]

    @initialize(records=st.booleans(), rounds=st.integers(1, 4))
    def begin(self, records: bool, rounds: int) -> None:
        """Two volumes with a chain each; export records name parents, or nobody asks for them."""
        self.folder = Path(tempfile.mkdtemp(prefix="restorable"))
        shutil.copy(self.template, self.folder / "staffeln.db")
        self.cloud.reset()
        self.cloud.freeze(BEGIN)
        self.has_records = records
        self.lost: list[Any] = []
        self.transferred: set[str] = set()
        for project in PROJECTS:
            self.cloud.people.add_project(project)
            self.cloud.things.add_server(f"{project}-server", project=project, metadata=MARKED)
            self.cloud.things.add_volume(f"{project}-data", server=f"{project}-server")
        environ = SETTINGS | {
            "STAFFELN_CATALOG_RECORDS": str(records).lower(),
            "STAFFELN_DATABASE_URL": f"sqlite:///{self.folder / 'staffeln.db'}",
            "STAFFELN_LOCK_URL": f"file://{self.folder / 'locks'}",
        }
        self.runtime = Runtime(load(None, environ).settings, clock=self.cloud.now)
        self.store = self.runtime.store
        for _ in range(rounds):
            self.a_day_passes()

    def teardown(self) -> None:
        """Whatever became of all of it."""
        if not hasattr(self, "store"):
            return
        self.everything_is_listed()
        self.runtime.close()
        shutil.rmtree(self.folder)

    @rule()
    def a_day_passes(self) -> None:
        """What is due is backed up."""
        self.cloud.advance(hours=25)
        self._run(collect)
        self._run(backup)
        self.cloud.advance(minutes=5)
        self.cloud.steering.finish_backups()
        self._run(check)

    @rule()
    def everything_is_listed(self) -> None:
        """Until what is absent is missing; then both say the same, and it is true.

        While a backup of ours is missed, those of others are not judged: two looks for either.
        """
        for _ in range(4):
            self.cloud.advance(minutes=61)
            self._run(check)
        self._run(collect)
        self._both_say_what_is_true()

    @rule(pick=PICKS, incremental=st.booleans())
    def somebody_makes_a_backup(self, pick: int, incremental: bool) -> None:
        """By hand, in the same chain: nothing but an export record names its parent."""
        self.cloud.advance(hours=1)
        volume = self._volume(pick)
        if incremental and not (self.has_records and self._parents(volume)):
            return
        self.cloud.things.add_backup(volume["id"], incremental=incremental)

    @rule(pick=PICKS)
    def a_backup_is_lost(self, pick: int) -> None:
        """Whatever depends on it."""
        if (row := self._backup(pick)) is not None:
            self.lost.append(self.cloud.world.backups[row["id"]])
            self.cloud.things.lose_backups(row["id"])

    @rule(pick=PICKS)
    def a_lost_backup_returns(self, pick: int) -> None:
        """From a dump of Cinder's database, say."""
        if self.lost:
            self.cloud.world.backups.add(self.lost.pop(pick % len(self.lost)))

    @rule(pick=PICKS, status=st.sampled_from(["error", "available", "restoring"]))
    def a_status_changes(self, pick: int, status: str) -> None:
        """It breaks, is mended, or is being restored."""
        if (row := self._backup(pick)) is not None:
            self.cloud.things.set_backup(row["id"], status=status)

    @rule(pick=PICKS)
    def a_record_is_lost_and_the_backup_adopted(self, pick: int) -> None:
        """As where the database is an old dump."""
        row = self._backup(pick)
        if row is None or row["status"] != "available":
            return
        if not self.has_records and row["id"] not in whole(self.cloud):
            return  # nobody says that it depends on anything
        with self.store.database.write() as connection:
            its = backup_table.c.backup_id == row["id"]
            connection.execute(delete(backup_table).where(its))
        list(orphans.find(self.runtime, adopt=True))

    @rule(pick=PICKS)
    def a_volume_changes_hands(self, pick: int) -> None:
        """The other project attaches it to its own protected server."""
        volume = self._volume(pick)
        owner = self.cloud.world.project(volume["project_id"]).name
        other = next(one for one in PROJECTS if one != owner)
        self.transferred.add(volume["id"])
        self.cloud.things.transfer_volume(volume["id"], other)
        self.cloud.things.attach(volume["id"], f"{other}-server")

    def _both_say_what_is_true(self) -> None:
        true = whole(self.cloud)
        for volume in self.cloud.volumes():
            volume_id = VolumeId(volume["id"])
            row = self.store.inventory.volumes([volume_id])[volume_id]
            briefs = self.store.records.briefs([volume_id])
            parents = self.store.exports.foreign_parents([volume_id])
            listed = self.runtime.cloud.listings.backups_of(volume_id)
            ours = {
                brief.started_at: one.id
                for one in restorable_backups(listed, briefs, parents)
                if one.project_id == volume["project_id"]
                and (brief := briefs.get(one.id)) is not None
                and brief.state is State.AVAILABLE
            }
            assert set(ours.values()) <= true
            newest = max((at for at in ours if at is not None), default=None)
            assert row.last_success_at == newest, (row, briefs, listed)
            is_once_lost = volume["id"] not in self.transferred and any(
                one.succeeded for one in self.store.records.of_volumes([volume_id])
            )
            is_told = row.unrestorable_since is not None
            assert is_told == (newest is None and is_once_lost) or volume["id"] in self.transferred
            assert newest is None or not is_told

    def _run(self, command: Any) -> None:
        runtime = Runtime(self.runtime.settings, clock=self.cloud.now)
        try:
            command.run(runtime)
        finally:
            runtime.close()

    def _volume(self, pick: int) -> dict[str, Any]:
        volumes = sorted(self.cloud.volumes(), key=lambda one: str(one["name"]))
        return volumes[pick % len(volumes)]

    def _backup(self, pick: int) -> dict[str, Any] | None:
        names = {one["id"]: str(one["name"]) for one in self.cloud.volumes()}
        order = [(one["created_at"], names[one["volume_id"]]) for one in self.cloud.backups()]
        backups = [
            one
            for _, one in sorted(
                zip(order, self.cloud.backups(), strict=True), key=lambda pair: pair[0]
            )
        ]
        return backups[pick % len(backups)] if backups else None

    def _parents(self, volume: dict[str, Any]) -> list[BackupId]:
        return [
            one["id"]
            for one in self.cloud.backups(status="available")
            if (one["volume_id"], one["project_id"]) == (volume["id"], volume["project_id"])
        ]


def explore(cloud: SimCloud, empty_sqlite: Path, examples: int, steps: int) -> None:
    Restorable.cloud, Restorable.template = cloud, empty_sqlite
    run_state_machine_as_test(
        Restorable,
        settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None),
    )


def test_records_and_listings_say_the_same_of_what_can_be_restored(
    cloud: SimCloud, empty_sqlite: Path
) -> None:
    explore(cloud, empty_sqlite, examples=6, steps=14)


@pytest.mark.soak
def test_they_do_in_long_histories(cloud: SimCloud, empty_sqlite: Path) -> None:
    explore(cloud, empty_sqlite, examples=150, steps=30)
