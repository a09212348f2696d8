"""A state machine: a cloud that lies in one pass and is honest afterwards.

Days pass, volumes come, go and change hands, tenants shorten their retention; in between, passes
are told what is not so. Afterwards the cloud tells the truth for some days.
"""

import shutil
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from staffeln_cli.commands import backup, check, collect, retain
from staffeln_cli.config import load
from staffeln_cli.demo.simcloud import Request, SimCloud
from staffeln_cli.model import Outcome
from staffeln_cli.model.lifecycle import UNFINISHED
from staffeln_cli.runtime import Runtime
from tests.properties.beliefs import Beliefs
from tests.properties.lies import (
    LISTINGS,
    TOLERANCE,
    Chosen,
    Lie,
    Tell,
    behind_a_proxy,
    broken,
    doubled,
    forgotten,
    lost,
    may_be_ok,
    misowned,
    moved,
    narrowed,
    omitted,
    stale,
    wrong_host,
    wrong_service,
)
from tests.properties.promises import GRACE, Owned, Promises, marked, restorable

PASSES = {
    "collect": collect.run,
    "backup": backup.run,
    "check": check.run,
    "retain": retain.run,
}
COMMANDS = st.sampled_from(sorted(PASSES))
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
PROJECTS = ("shop", "bank")
SETTINGS = {
    "STAFFELN_BACKUP_FULL_BACKUP_DEPTH": "1",
    "STAFFELN_RETENTION_BRAKE": "1",
    "STAFFELN_RETENTION_GRACE": f"{GRACE.days}d",
    "STAFFELN_RETENTION_TIME_BUDGET": "1s",
    "STAFFELN_CLOUD_WORKERS": "1",
    "STAFFELN_CLOUD_RETRY_TIMEOUT": "1s",
}


class LyingCloud(RuleBasedStateMachine):
    """One cloud with two projects, one database, one host."""

    cloud: ClassVar[SimCloud]
    template: ClassVar[Path]

    @initialize(volumes=st.integers(1, 3))
    def begin(self, volumes: int) -> None:
        """Volumes of two projects, each with a backup of yesterday."""
        self.folder = Path(tempfile.mkdtemp(prefix="lies"))
        shutil.copy(self.template, self.folder / "staffeln.db")
        self.cloud.reset()
        self.cloud.freeze(BEGIN)
        self.cloud.settings.finish_after = timedelta(minutes=30)
        for project in PROJECTS:
            self.cloud.people.add_project(project)
            self.cloud.things.add_server(f"{project}-server", project=project, metadata=marked(3))
        for number in range(volumes):
            self.cloud.things.add_volume(f"v{number}", server=f"{PROJECTS[number % 2]}-server")
        environ = SETTINGS | {
            "STAFFELN_DATABASE_URL": f"sqlite:///{self.folder / 'staffeln.db'}",
            "STAFFELN_LOCK_URL": f"file://{self.folder / 'locks'}",
        }
        self.settings = load(None, environ).settings
        self.store = Runtime(self.settings, clock=self.cloud.now).store
        self.beliefs = Beliefs(self.store, self.cloud)
        self.promises = Promises(self.cloud)
        self.restorable: set[Owned] = set()
        self.protected: set[str] = set()
        self.broken: set[str] = set()
        self._honest_day(hours=24)

    def teardown(self) -> None:
        """The cloud tells the truth for long enough."""
        if not hasattr(self, "store"):
            return
        for hours in (1, 13, 25):
            self._honest_day(hours)
        assert self.beliefs.taken_for_whole() == []
        assert not self.beliefs.unrestorable() & set(restorable(self.cloud))
        began = self.cloud.now()
        self._honest_day(hours=25)
        self._every_volume_was_backed_up_since(began)
        assert not self.beliefs.untracked()
        assert not {one.state for one in self.beliefs.records()} & UNFINISHED
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(
        command=COMMANDS,
        lie=st.sampled_from([omitted, behind_a_proxy, forgotten]),
        kind=st.sampled_from(sorted(LISTINGS)),
        picks=st.sets(st.integers(0, 5), min_size=1),
    )
    def rows_are_not_shown(self, command: str, lie: Tell, kind: str, picks: set[int]) -> None:
        """By listings alone, by a proxy, or by a node that knows nothing of them."""
        rows = self._ids(kind)
        some = sorted({rows[pick % len(rows)] for pick in picks}) if rows else []
        self._lie(command, lie, Chosen(self.cloud, kind, some, self.beliefs.suspected()))

    @rule(
        command=COMMANDS,
        lie=st.sampled_from([wrong_host, wrong_service, moved]),
        number=st.integers(0, 23),
    )
    def times_are_wrong(self, command: str, lie: Tell, number: int) -> None:
        """The host's, a service's, or those that Cinder wrote down."""
        self._lie(command, lie, Chosen(self.cloud, "backup", self._ids("backup"), (), number))

    @rule(
        command=COMMANDS,
        lie=st.sampled_from([stale, lost, narrowed]),
        number=st.integers(0, 1),
    )
    def a_node_lags_or_narrows(self, command: str, lie: Tell, number: int) -> None:
        """What is new is not there yet, or what belongs to others."""
        self._lie(command, lie, Chosen(self.cloud, "backup", [], (), number))

    @rule(
        command=COMMANDS,
        lie=st.sampled_from([doubled, misowned, broken]),
        kind=st.sampled_from(sorted(set(LISTINGS) - {"project"})),
        picks=st.sets(st.integers(0, 5), min_size=1),
    )
    def rows_are_not_shown_as_they_are(
        self, command: str, lie: Tell, kind: str, picks: set[int]
    ) -> None:
        """Again, in another project, or as failed."""
        if lie is not doubled:
            kind = "volume" if lie is misowned else "backup"
        rows = self._ids(kind)
        some = sorted({rows[pick % len(rows)] for pick in picks}) if rows else []
        self._lie(command, lie, Chosen(self.cloud, kind, some))

    @rule(command=COMMANDS)
    def a_pass_is_told_the_truth(self, command: str) -> None:
        """As cron has it."""
        self._honest_pass(command)

    @rule(hours=st.sampled_from([0.1, 0.2, 1, 5, 24, 80]))
    def time_passes(self, hours: float) -> None:
        """Backups end, come due and expire."""
        self.cloud.advance(hours=hours)

    @rule(project=st.sampled_from(PROJECTS))
    def a_volume_is_made(self, project: str) -> None:
        """On a protected server."""
        if len(self.cloud.volumes()) < 4:
            self.cloud.things.add_volume(None, server=f"{project}-server")

    @rule(pick=st.integers(0, 5))
    def a_volume_is_deleted(self, pick: int) -> None:
        """With its backups left behind."""
        idle = self.cloud.volumes(status="in-use")
        if len(idle) > 1:
            self.cloud.things.remove_volume(idle[pick % len(idle)]["id"])

    @rule(pick=st.integers(0, 5))
    def a_volume_changes_hands(self, pick: int) -> None:
        """The other project attaches it to its own protected server."""
        idle = self.cloud.volumes(status="in-use")
        if not idle:
            return
        volume = idle[pick % len(idle)]
        owner = self.cloud.world.project(volume["project_id"]).name
        other = next(one for one in PROJECTS if one != owner)
        self.cloud.things.transfer_volume(volume["id"], other)
        self.cloud.things.attach(volume["id"], f"{other}-server")

    @rule(pick=st.integers(0, 9))
    def a_backup_breaks(self, pick: int) -> None:
        """As where an operator resets its status, or cinder-backup damages it."""
        whole = self.cloud.backups(status="available")
        if whole:
            one = whole[pick % len(whole)]["id"]
            self.cloud.things.set_backup(one, status="error")
            self.broken.add(one)
            self.restorable = set(restorable(self.cloud))

    @rule(pick=st.integers(0, 9))
    def a_broken_backup_is_whole_again(self, pick: int) -> None:
        """Its status is reset once more."""
        ours = [one["id"] for one in self.cloud.backups(status="error")]
        repairable = sorted(self.broken & set(ours))
        if repairable:
            one = repairable[pick % len(repairable)]
            self.cloud.things.set_backup(one, status="available")

    @rule(project=st.sampled_from(PROJECTS), days=st.sampled_from([1, 3, 6]))
    def a_tenant_changes_the_retention(self, project: str, days: int) -> None:
        """And a pass sees it as it is."""
        self.cloud.things.set_metadata(f"{project}-server", marked(days))
        self._honest_pass("collect")

    @invariant()
    def no_volume_loses_its_last_restorable_backup(self) -> None:
        """Of none that exists, in no project that it belongs or belonged to."""
        if not hasattr(self, "store"):
            return
        now = set(restorable(self.cloud))
        volumes = {one["id"] for one in self.cloud.volumes()}
        lost = {one for one in self.restorable - now if one[1] in volumes}
        assert not lost, lost
        self.restorable = now

    @invariant()
    def nothing_is_deleted_before_its_time(self) -> None:
        """Whoever owns the volume now, and whatever the clocks say."""
        if hasattr(self, "store"):
            assert self.promises.broken == []

    @invariant()
    def what_exists_is_never_taken_for_gone(self) -> None:
        """A volume keeps its protection, a backup its record."""
        if not hasattr(self, "store"):
            return
        assert self.beliefs.taken_for_gone() == []
        protected, there = self.beliefs.protected(), self._ids("volume")
        assert not (self.protected & set(there)) - protected
        self.protected = protected

    def all_laws_hold(self) -> None:
        """The invariants, for histories that nobody made up."""
        self.no_volume_loses_its_last_restorable_backup()
        self.nothing_is_deleted_before_its_time()
        self.what_exists_is_never_taken_for_gone()

    def _lie(self, command: str, lie: Tell, chosen: Chosen) -> None:
        """Run a pass that is told a lie, and see that it did not act as if it knew better."""
        known, before = self.beliefs.known(chosen.kind), self.beliefs.snapshot()
        told = lie(chosen)
        outcome = self._run(command, told)
        self.cloud.end_lies()
        if outcome.outcome == "ok":
            assert may_be_ok(command, told, known), (lie, outcome)
            cancelled = self.beliefs.cancelled_since(before)
            assert told.is_believable or not cancelled, (lie, outcome)
        elif told.is_narrow:  # the volumes of the login's own project are shown
            changed = self.beliefs.changed_since(before)
            assert changed <= self.beliefs.started_for_their_owner(), (lie, outcome)
        elif abs(told.host_offset) > TOLERANCE:
            assert not self.beliefs.changed_since(before), (lie, outcome)

    def _honest_day(self, hours: float) -> None:
        """What cron does, with nothing in its way."""
        self.cloud.advance(minutes=11)
        for command in ("check", "collect", "backup"):
            self._honest_pass(command)
        self.cloud.advance(minutes=31)
        for command in ("check", "retain", "check"):
            self._honest_pass(command)
        self.cloud.advance(hours=hours)

    def _honest_pass(self, command: str) -> None:
        outcome = self._run(command, Lie())
        named = {failure.id for failure in outcome.failures}
        assert outcome.outcome == "ok" or (named and named <= self.broken), outcome
        if command == "check" and self.broken & named:
            self._what_broke_is_known()
        if command == "collect":
            self.promises.note()

    def _what_broke_is_known(self) -> None:
        """A pass has just listed all backups: it knows which volumes have none to restore."""
        there = set(restorable(self.cloud))
        unrestorable = self.beliefs.unrestorable()
        assert self.beliefs.taken_for_whole() == []
        assert not unrestorable & there
        broken = [self.cloud.world.backups[one] for one in self.broken & set(self._ids("backup"))]
        lost = {(one.project_id, one.volume_id) for one in broken} - there
        protected = self.beliefs.protected()
        owned = {(one["project_id"], one["id"]) for one in self.cloud.volumes()}
        assert {one for one in lost & owned if one[1] in protected} <= unrestorable

    def _run(self, command: str, lie: Lie) -> Outcome:
        hook = self.cloud.on_request

        def watch(request: Request) -> None:
            lie.met.append(request)
            self.promises.watch(request)
            if hook is not None:
                hook(request)

        self.cloud.on_request = watch
        runtime = Runtime(self.settings, clock=lambda: self.cloud.now() + lie.host_offset)
        try:
            return PASSES[command](runtime)
        finally:
            runtime.close()
            self.cloud.on_request = None

    def _every_volume_was_backed_up_since(self, began: datetime) -> None:
        made = {
            (one["project_id"], one["volume_id"])
            for one in self.cloud.backups(status="available")
            if one["created_at"] >= began
        }
        assert {(one["project_id"], one["id"]) for one in self.cloud.volumes()} <= made
        names = Counter(one["name"] for one in self.cloud.backups())
        assert not names or names.most_common(1)[0][1] == 1

    def _ids(self, kind: str) -> list[str]:
        if kind == "project":
            return [self.cloud.world.project(one).id for one in PROJECTS]
        rows = {
            "server": self.cloud.servers,
            "volume": self.cloud.volumes,
            "backup": self.cloud.backups,
        }[kind]()
        return [one["id"] for one in rows]
