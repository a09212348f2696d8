"""Days pass; backups succeed, fail, overlap or vanish; retention runs and keeps its terms."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from staffeln_cli.model import (
    BackupId,
    BackupRecord,
    Kind,
    ProjectId,
    State,
)
from staffeln_cli.model.durations import Duration, parse
from staffeln_cli.planning.chains.broken import orphaned_incrementals
from staffeln_cli.planning.chains.members import Member
from staffeln_cli.planning.retention.keep_rules import RetentionTerms
from staffeln_cli.planning.retention.policy import Policy
from staffeln_cli.planning.retention.verdicts import Verdict, judge, waves
from tests.build import a_record
from tests.properties.cinder import Cinder, Refused

POLICIES = st.builds(
    Policy,
    time=st.sampled_from([None, parse("0s"), parse("3d"), parse("1mon")]),
    last=st.integers(0, 3),
    daily=st.integers(0, 3),
    weekly=st.integers(0, 2),
    monthly=st.integers(0, 2),
)
PAUSES = st.sampled_from(
    [timedelta(), timedelta(seconds=1), timedelta(minutes=40), timedelta(days=1), timedelta(9)]
)


class Life(RuleBasedStateMachine):
    """One volume; Cinder tells the truth only in the end, the planner sees listings."""

    def __init__(self) -> None:
        super().__init__()
        self.cinder = Cinder()
        self.records: dict[BackupId, BackupRecord] = {}
        self.snapshots: list[datetime] = []
        self.terms = RetentionTerms(
            policy=Policy(time=parse("3d")), volume_exists=True, keep_last=1
        )

    # The world.

    @rule(incrementals=st.integers(0, 4), days=st.integers(0, 3))
    def nights_pass(self, incrementals: int, days: int) -> None:
        """A chain of ours grows undisturbed, as most of the time it does."""
        for number in range(incrementals + 1):
            self.cinder.now += timedelta(hours=23)
            self._make(ours=True, incremental=number > 0, snapshot=None, at_once=True)
        self.cinder.now += timedelta(days=days)

    @rule(pause=PAUSES)
    def time_passes(self, pause: timedelta) -> None:
        self.cinder.now += pause

    @rule()
    def somebody_takes_a_snapshot(self) -> None:
        self.snapshots.append(self.cinder.now)

    @rule(ours=st.booleans(), incremental=st.booleans(), at_once=st.booleans())
    def a_backup_is_made(self, ours: bool, incremental: bool, at_once: bool) -> None:
        self._make(ours=ours, incremental=incremental, snapshot=None, at_once=at_once)

    @precondition(lambda self: self.snapshots)
    @rule(data=st.data(), incremental=st.booleans(), at_once=st.booleans())
    def somebody_backs_a_snapshot_up(
        self, data: st.DataObject, incremental: bool, at_once: bool
    ) -> None:
        snapshot = data.draw(st.sampled_from(self.snapshots))
        self._make(ours=False, incremental=incremental, snapshot=snapshot, at_once=at_once)

    @precondition(lambda self: self._are("creating"))
    @rule(data=st.data(), well=st.booleans())
    def a_backup_ends(self, data: st.DataObject, well: bool) -> None:
        self._end(self._one_of(data, "creating"), well=well)

    @precondition(lambda self: self._are("available"))
    @rule(data=st.data())
    def a_restore_begins(self, data: st.DataObject) -> None:
        self.cinder.begin_restore(self._one_of(data, "available"))

    @precondition(lambda self: self._are("restoring"))
    @rule(data=st.data())
    def a_restore_ends(self, data: st.DataObject) -> None:
        self.cinder.end_restore(self._one_of(data, "restoring"))

    @precondition(lambda self: self._are("available", "error"))
    @rule(data=st.data())
    def somebody_deletes_a_leaf(self, data: st.DataObject) -> None:
        backup = self._one_of(data, "available", "error")
        if not self.cinder.children(backup):
            self.cinder.delete(backup)

    @precondition(lambda self: self._are("deleting"))
    @rule()
    def deletions_end(self) -> None:
        for row in list(self.cinder.rows.values()):
            if row.status == "deleting":
                self.cinder.vanish(row.id)
                self.records.pop(row.id, None)

    # The operator.

    @rule(policy=POLICIES, keep_last=st.integers(0, 3))
    def the_terms_change(self, policy: Policy, keep_last: int) -> None:
        self.terms = replace(self.terms, policy=policy, keep_last=keep_last)

    @precondition(lambda self: self.cinder.rows)
    @rule(data=st.data(), pinned=st.booleans())
    def a_pin_changes(self, data: st.DataObject, pinned: bool) -> None:
        mine = sorted(self.records.keys() & self.cinder.rows.keys())
        if mine:
            backup = data.draw(st.sampled_from(mine))
            self.records[backup] = replace(self.records[backup], pinned=pinned)

    @rule(stays=st.booleans())
    def the_volume_goes_or_comes(self, stays: bool) -> None:
        self.terms = replace(self.terms, volume_exists=stays)

    # Retention.

    @rule(waves_done=st.integers(0, 9))
    def retention_runs(self, waves_done: int) -> None:
        """It may die after any wave, or see all of them through."""
        verdicts = self._judge()
        self._check_the_plan(verdicts)
        before = self._restorable()
        confirm = {v.member.backup.id for v in verdicts if v.confirm}
        blocked = False
        for wave in waves(verdicts)[:waves_done]:
            if blocked or self._something_is_leaving():
                break
            for member in wave:
                blocked |= not self._remove(member.backup.id, confirm)
            self.deletions_end()
        floor = self.terms.keep_last if self.terms.volume_exists else 0
        assert len(self._restorable()) >= min(floor, len(before))

    @rule()
    def retention_runs_twice(self) -> None:
        """What went does not make anything else go at the same moment."""
        first = {v.member.backup.id for v in self._judge() if not v.keep}
        self.retention_runs(99)
        assert {v.member.backup.id for v in self._judge() if not v.keep} <= first

    @invariant()
    def whatever_cinder_has_and_was_whole_can_be_restored(self) -> None:
        for row in self.cinder.rows.values():
            assert all(one in self.cinder.rows for one in self.cinder.ancestors(row.id))

    @invariant()
    def the_plan_never_takes_what_something_kept_depends_on(self) -> None:
        self._check_the_plan(self._judge())

    def _check_the_plan(self, verdicts: list[Verdict]) -> None:
        going = {v.member.backup.id: v for v in verdicts if not v.keep}
        being_deleted = {row.id for row in self.cinder.rows.values() if row.status == "deleting"}
        for verdict in verdicts:
            name = verdict.member.backup.id
            if not verdict.keep:
                self._check_may_go(verdict)
            elif name not in being_deleted:
                below = [one for one in self.cinder.ancestors(name)[1:] if one in going]
                # Cinder's answer about the nearest saves all of them.
                assert not below or going[below[0]].confirm

    def _check_may_go(self, verdict: Verdict) -> None:
        record = self.records[verdict.member.backup.id]
        assert record.state is State.AVAILABLE
        assert not record.pinned
        policy = self.terms.policy
        assert policy is not None
        started = record.started_at
        assert started is not None
        assert started <= (policy.time or Duration()).before(self.cinder.now)
        points = sorted(self._restorable(), key=self._age, reverse=True)
        count = policy.last
        if self.terms.volume_exists:
            count = max(count, self.terms.keep_last)
        newest = points[:count]
        if newest and len(points) > count:
            # Of the same second, any will do.
            newest = [one for one in newest if self._age(one) > self._age(points[count])]
        assert verdict.member.backup.id not in newest

    # How to.

    def _age(self, backup: BackupId) -> datetime:
        started = self.records[backup].started_at
        assert started is not None
        return started

    def _make(
        self, *, ours: bool, incremental: bool, snapshot: datetime | None, at_once: bool
    ) -> None:
        try:
            new = self.cinder.create(incremental=incremental, snapshot=snapshot)
        except Refused:
            return
        if ours:
            self.records[new] = a_record(
                "v",
                project_id=ProjectId("p"),
                kind=Kind.INCREMENTAL if incremental else Kind.FULL,
                state=State.CREATING,
                planned_at=self.cinder.now,
                started_at=self.cinder.now,
                backup_id=new,
            )
        if at_once:
            self.cinder.now += timedelta(minutes=20)
            self._end(new, well=True)

    def _end(self, backup: BackupId, *, well: bool) -> None:
        self.cinder.finish(backup, well=well)
        if backup in self.records:
            state = State.AVAILABLE if well else State.FAILED
            self.records[backup] = replace(self.records[backup], state=state)

    def _are(self, *statuses: str) -> list[BackupId]:
        return sorted(row.id for row in self.cinder.rows.values() if row.status in statuses)

    def _one_of(self, data: st.DataObject, *statuses: str) -> BackupId:
        return data.draw(st.sampled_from(self._are(*statuses)))

    def _judge(self) -> list[Verdict]:
        listed = self.cinder.listing()
        records = self.records.values()
        briefs = {one.backup_id: one for record in records if (one := record.brief) is not None}
        useless = orphaned_incrementals(briefs, {backup.id for backup in listed})
        members = [Member(b, briefs.get(b.id), b.id in useless) for b in listed]
        return judge(members, self.terms, self.cinder.now)

    def _restorable(self) -> set[BackupId]:
        """Our backups that can really be restored."""
        return {
            name
            for name, record in self.records.items()
            if name in self.cinder.rows
            and record.state is State.AVAILABLE
            and self.cinder.can_restore(name)
        }

    def _something_is_leaving(self) -> bool:
        return any(row.status == "deleting" for row in self.cinder.rows.values())

    def _remove(self, backup: BackupId, confirm: set[BackupId]) -> bool:
        """As the caller of the plan does: ask where it says so, delete, and never be refused."""
        if backup in confirm and self.cinder.children(backup):
            return False
        self.cinder.delete(backup)
        self.records[backup] = replace(self.records[backup], state=State.DELETING)
        return True


TestLife = Life.TestCase
