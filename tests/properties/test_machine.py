"""Planner, store and cloud together: is there any history in which a promise is broken?

Days pass; passes come in any order and die anywhere; replies are lost; backups succeed, fail, get
stuck or vanish; volumes come and go. The laws of the state table hold after every step.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from staffeln_cli.commands import backup, check, collect, retain
from staffeln_cli.config import load
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import BackupRecord, Origin, Outcome, State
from staffeln_cli.model.lifecycle import NEXT, UNFINISHED
from staffeln_cli.runtime import Runtime
from tests.build import MARKED

PASSES: dict[str, Callable[[Runtime], Outcome]] = {
    "collect": collect.run,
    "backup": backup.run,
    "check": check.run,
    "retain": retain.run,
}
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
EXPECTED = frozenset({"ok", "partial", "failed"})
SETTINGS = {
    "STAFFELN_BACKUP_FULL_BACKUP_DEPTH": "2",
    "STAFFELN_RETENTION_TIME": "3d",
    "STAFFELN_RETENTION_BRAKE": "1",
    "STAFFELN_RETENTION_TIME_BUDGET": "1s",
    "STAFFELN_CLOUD_WORKERS": "1",
    "STAFFELN_CLOUD_RETRY_TIMEOUT": "1s",
}


class Died(BaseException):
    """The process is gone; nothing catches it."""


class Life:
    """Counts the steps of one process until its death."""

    def __init__(self, steps: int | None) -> None:
        self._left = steps

    def tick(self) -> None:
        """One step; once dead, every further one dies, too."""
        if self._left is None:
            return
        self._left -= 1
        if self._left <= 0:
            raise Died


class Interruptible:
    """Forwards calls to `inner`, and dies at one of them: just before it, or just after."""

    def __init__(self, inner: Any, life: Life) -> None:
        self._inner, self._life = inner, life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            self._life.tick()
            answer = found(*args, **kwargs)
            self._life.tick()
            return answer

        return call


class Machine(RuleBasedStateMachine):
    """One cloud, one database, and hosts that die."""

    cloud: ClassVar[SimCloud]
    template: ClassVar[Path]

    @initialize(volumes=st.integers(1, 3))
    def begin(self, volumes: int) -> None:
        """A marked server with some volumes."""
        self.folder = Path(tempfile.mkdtemp(prefix="machine"))
        shutil.copy(self.template, self.folder / "staffeln.db")
        self.cloud.reset()
        self.cloud.freeze(BEGIN)
        self.cloud.settings.finish_after = None
        self.cloud.people.add_project("shop")
        self.cloud.things.add_server("web", project="shop", metadata=MARKED)
        for number in range(volumes):
            self.cloud.things.add_volume(f"v{number}", server="web")
        environ = SETTINGS | {
            "STAFFELN_DATABASE_URL": f"sqlite:///{self.folder / 'staffeln.db'}",
            "STAFFELN_LOCK_URL": f"file://{self.folder / 'locks'}",
        }
        self.settings = load(None, environ).settings
        self.store = Runtime(self.settings, clock=self.cloud.now).store
        self.before: dict[str, State] = {}

    def teardown(self) -> None:
        """Everything comes to rest, whatever it went through."""
        if not hasattr(self, "store"):
            return
        for turn in range(20):  # many replies may be waiting to be lost
            if turn >= 4 and not {one.state for one in self._records()} & UNFINISHED:
                break
            self.cloud.advance(hours=13)
            for command in ("check", "collect", "backup"):
                self._run(command)
            self.cloud.steering.finish_backups()
            for command in ("check", "retain", "check"):
                self._run(command)
        self.every_backup_of_ours_is_tracked(at_rest=True)
        assert not {one.state for one in self._records()} & UNFINISHED
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(command=st.sampled_from(list(PASSES)))
    def a_pass_runs(self, command: str) -> None:
        """As cron has it."""
        self._run(command)

    @rule(command=st.sampled_from(list(PASSES)), steps=st.integers(1, 60))
    def a_pass_dies(self, command: str, steps: int) -> None:
        """At any request or transaction."""
        self._run(command, steps)

    @rule(acting=st.booleans(), method=st.sampled_from(["POST", "DELETE"]))
    def a_reply_will_be_lost(self, acting: bool, method: str) -> None:
        """Of a backup's creation or deletion, carried out or not."""
        self.cloud.faults.lose_reply_next(method, r"/backups(/[0-9a-f-]*)?$", acting=acting)

    @rule()
    def backups_finish(self) -> None:
        """All that are under way."""
        self.cloud.steering.finish_backups()

    @rule()
    def backups_fail(self) -> None:
        """All that are under way."""
        self.cloud.steering.fail_backups("the tape tore")

    @rule()
    def a_backup_gets_stuck(self) -> None:
        """It stays `creating` for ever."""
        creating = self.cloud.backups(status="creating")
        if creating:
            self.cloud.steering.stuck(creating[0]["id"])

    @rule()
    def somebody_deletes_a_leaf(self) -> None:
        """Behind our back."""
        rows = self.cloud.backups()
        parents = {one["parent_id"] for one in rows}
        leaves = [one for one in rows if one["id"] not in parents]
        if leaves:
            self.cloud.things.remove_backup(leaves[-1]["id"])

    @rule()
    @precondition(lambda self: len(self.cloud.volumes()) > 1)
    def a_volume_is_deleted(self) -> None:
        """With its backups left behind."""
        idle = [one for one in self.cloud.volumes() if one["status"] == "in-use"]
        if idle:
            self.cloud.things.remove_volume(idle[0]["id"])

    @rule(marked=st.booleans())
    def the_mark_changes(self, marked: bool) -> None:
        """Somebody protects the server, or no longer."""
        self.cloud.things.set_metadata("web", MARKED if marked else {})

    @rule(hours=st.sampled_from([0.1, 1, 5, 12, 24, 80]))
    def time_passes(self, hours: float) -> None:
        """Claims run out, backups come due and expire."""
        self.cloud.advance(hours=hours)

    @invariant()
    def a_volume_has_one_unfinished_record_at_most(self) -> None:
        """The database says so, too."""
        unfinished = [one for one in self._records() if one.state in UNFINISHED]
        most = Counter(one.volume_id for one in unfinished).most_common(1)
        assert not most or most[0][1] == 1

    @invariant()
    def every_move_was_legal(self) -> None:
        """From each state only to those that the table can reach."""
        now = {str(one.id): one.state for one in self._records()}
        for record_id, state in now.items():
            old = self.before.get(record_id, state)
            assert state is old or state in _reachable(old), f"{old} became {state}"
        self.before = now

    @invariant()
    def every_backup_of_ours_is_tracked(self, *, at_rest: bool = False) -> None:
        """Or will be: its record waits for it by name."""
        records = self._records()
        ids = {one.backup_id for one in records}
        awaited = {
            one.name for one in records if one.backup_id is None and one.state in UNFINISHED
        }
        for one in self._in_cloud():
            if "staffeln:record" in one["metadata"]:
                assert one["id"] in ids or (one["name"] in awaited and not at_rest), one

    @invariant()
    def no_backup_is_made_twice(self) -> None:
        """Names are unique, and a day lies between two good backups of a volume."""
        names = Counter(one["name"] for one in self._in_cloud())
        assert not names or names.most_common(1)[0][1] == 1

    @invariant()
    def the_history_agrees_with_the_records(self) -> None:
        """When the last backup was started, and the last that went well."""
        if not hasattr(self, "store"):
            return
        records = [one for one in self._records() if one.origin is not Origin.ADOPTED]
        for volume in self.store.inventory.all_volumes():
            own = [one for one in records if one.volume_id == volume.volume_id]
            made = [one.started_at for one in own if one.backup_id and one.started_at]
            good = [
                one.started_at for one in own if one.state is State.AVAILABLE and one.started_at
            ]
            assert volume.last_started_at == max(made, default=None)
            if good:
                assert volume.last_success_at is not None
                assert volume.last_success_at >= max(good)

    @invariant()
    def cinder_never_had_to_refuse_a_deletion(self) -> None:
        """Nothing is asked for that must be refused."""
        assert [one for one in self.cloud.refused_deletes() if one.status == 400] == []

    @invariant()
    def no_chain_loses_its_ground(self) -> None:
        """What an incremental stands on is there while it is."""
        rows = self._in_cloud()
        ids = {one["id"] for one in rows}
        assert all(one["parent_id"] in ids for one in rows if one["parent_id"])

    def _run(self, command: str, steps: int | None = None) -> None:
        runtime, life = Runtime(self.settings, clock=self.cloud.now), Life(steps)
        try:
            if steps is not None:
                for part in ("records", "lifecycle", "claims", "notes", "inventory", "runs"):
                    setattr(runtime.store, part, Interruptible(getattr(runtime.store, part), life))
                for part in ("backups", "listings"):
                    setattr(runtime.cloud, part, Interruptible(getattr(runtime.cloud, part), life))
            outcome = PASSES[command](runtime)
            assert outcome.outcome in EXPECTED, outcome
        except Died:
            pass
        finally:
            runtime.close()

    def _records(self) -> list[BackupRecord]:
        return self.store.records.in_states(set(State)) if hasattr(self, "store") else []

    def _in_cloud(self) -> list[dict[str, Any]]:
        return self.cloud.backups()


def _reachable(state: State) -> set[State]:
    """By any number of moves: several may happen within one pass."""
    found: set[State] = set()
    waiting = [state]
    while waiting:
        for following in NEXT[waiting.pop()] - found:
            found.add(following)
            waiting.append(following)
    return found


def explore(cloud: SimCloud, empty_sqlite: Path, examples: int, steps: int) -> None:
    Machine.cloud, Machine.template = cloud, empty_sqlite
    run_state_machine_as_test(
        Machine,
        settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None),
    )


def test_no_history_of_deaths_and_losses_breaks_a_promise(
    cloud: SimCloud, empty_sqlite: Path
) -> None:
    explore(cloud, empty_sqlite, examples=5, steps=20)


@pytest.mark.soak
def test_no_long_history_of_deaths_and_losses_breaks_a_promise(
    cloud: SimCloud, empty_sqlite: Path
) -> None:
    explore(cloud, empty_sqlite, examples=150, steps=50)
