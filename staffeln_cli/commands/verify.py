"""Prove backups: restore some to scratch volumes, check and remove them, record the proof."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from staffeln_cli.errors import ConfigError, Refused
from staffeln_cli.model import (
    Backup,
    Decision,
    Drill,
    DrillId,
    DrillState,
    InventoryVolume,
    Outcome,
)
from staffeln_cli.model.drills import DRILL_UNFINISHED
from staffeln_cli.operations import lookup, scratch
from staffeln_cli.operations.backups_of_volumes import BackupsOfVolumes
from staffeln_cli.operations.drill import carry_on
from staffeln_cli.planning.verification import Candidate, Choice, Room, choice, in_order, named
from staffeln_cli.runtime import Run, Runtime, run_pass

COUNTS = ("drills", "passed", "failed", "cancelled", "running")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRequest:
    """What to prove; with nothing named, the protected volumes whose proof is oldest."""

    volumes: Sequence[str] = ()
    servers: Sequence[str] = ()
    projects: Sequence[str] = ()
    backups: Sequence[str] = ()
    count: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether nothing is named, so that the volumes are chosen by their proofs."""
        return not (self.volumes or self.servers or self.projects or self.backups)


def run(runtime: Runtime, request: VerifyRequest, *, dry_run: bool = False) -> Outcome:
    """One pass of restore drills; NotFound, before anything is done, for what is not known."""
    return run_pass(
        runtime,
        "verify",
        lambda run: _Pass(run, request).work(),
        counts=COUNTS,
        leader=True,
        dry_run=dry_run,
    )


class _Pass:
    """One pass: what it may still begin, and until when."""

    def __init__(self, run: Run, request: VerifyRequest) -> None:
        self._run = run
        self._request = request
        settings = run.settings.verify
        self._begins_until = run.now() + settings.time_budget
        self._waits_until = run.now() + settings.time_budget * 1.5
        self._limit = request.count or (settings.count if request.is_open else None)
        self._room = Room(settings.max_gib)
        self._backups = BackupsOfVolumes(run, ())

    def work(self) -> None:
        """Go on with what is left, begin further drills, wait for all."""
        run = self._run
        named_backups = [lookup.backup(run, name) for name in self._request.backups]
        candidates = self._candidates()
        self._backups = BackupsOfVolumes(run, [one.volume.volume_id for one in candidates])
        self._look_at_flavor()
        self._look_at_quota()
        if run.dry_run:
            self._foresee(named_backups, candidates)
            return
        scratch.clear_leftovers(run)
        left = run.store.drills.claim_left(run.claim())
        gone_on_with = {drill.volume_id for drill in left}
        others = [one for one in candidates if one.volume.volume_id not in gone_on_with]
        began = self._begun(named_backups, others)
        try:
            for _ in run.parallel(
                self._prove, chain(left, began), workers=run.settings.verify.max_in_flight
            ):
                run.runtime.progress("drills", run.counts["passed"], run.counts["drills"])
        finally:
            run.store.drills.release(run.id)

    def _prove(self, drill: Drill) -> Drill:
        """Carry on a drill to its end; repeat a doubtful one, and try an older chain after."""
        run = self._run
        run.count("drills")
        ended = carry_on(run, drill, self._waits_until)
        run.count("running" if ended.state in DRILL_UNFINISHED else ended.state.value)
        if (ended.state is DrillState.FAILED or ended.suspected) and self._may_begin():
            following = self._next_after(ended)
            if following is not None:
                return self._prove(following)
        return ended

    def _next_after(self, ended: Drill) -> Drill | None:
        """The same backup once more, or the newest one of an older chain."""
        volume = self._run.store.inventory.volumes([ended.volume_id]).get(ended.volume_id)
        if volume is None:
            return None
        listed = self._run.cloud.listings.backups_of(volume.volume_id)
        chosen = self._chosen(self._candidate(volume), listed)
        return self._planned(chosen) if chosen is not None else None

    def _may_begin(self) -> bool:
        return self._run.now() < self._begins_until and not self._run.runtime.stop.is_requested

    def _begun(
        self, named_backups: Sequence[Backup], candidates: Sequence[Candidate]
    ) -> Iterator[Drill]:
        """Plan one drill after the other, as there is room for it."""
        for chosen in self._choices(named_backups, candidates):
            if not self._may_begin():
                return
            drill = self._planned(chosen)
            if drill is not None:
                yield drill

    def _choices(
        self, named_backups: Sequence[Backup], candidates: Sequence[Candidate]
    ) -> Iterator[Choice]:
        """What to prove, within the bounds; a backup for which there is no room is passed over."""
        number = 0
        proposed = (
            self._chosen(each, self._backups.of(each.volume.volume_id)) for each in candidates
        )
        for chosen in chain(map(self._named, named_backups), proposed):
            if chosen is None:
                continue
            if (refusal := self._room.refusal(chosen.backup.size_gib)) is not None:
                self._decide("hold", chosen, refusal)
                continue
            yield chosen
            number += 1
            if self._limit is not None and number >= self._limit:
                return

    def _named(self, backup: Backup) -> Choice:
        volume = lookup.volume(self._run.runtime, backup.volume_id)
        listed = self._run.cloud.listings.backups_of(backup.volume_id)
        return named(self._candidate(volume), backup, listed)

    def _chosen(self, candidate: Candidate, listed: Sequence[Backup]) -> Choice | None:
        """What to prove of a volume: a backup of its present owner's."""
        volume_id, store = candidate.volume.volume_id, self._run.store
        listed = [one for one in listed if one.project_id == candidate.volume.project_id]
        parents = store.exports.foreign_parents([volume_id])
        return choice(candidate, listed, store.records.briefs([volume_id]), parents)

    def _planned(self, chosen: Choice) -> Drill | None:
        """Plan a drill; None while the volume has another one."""
        run = self._run
        drill = chosen.drill(DrillId(secrets.token_hex(8)), run.now())
        if not run.store.drills.plan(drill, run.claim()):
            return None
        self._take(chosen)
        self._decide("drill", chosen, chosen.reason)
        return drill

    def _take(self, chosen: Choice) -> None:
        self._room = self._room._replace(gib=self._room.gib - chosen.backup.size_gib)

    def _foresee(self, named_backups: Sequence[Backup], candidates: Sequence[Candidate]) -> None:
        for chosen in self._choices(named_backups, candidates):
            self._decide("drill", chosen, chosen.reason)
            self._take(chosen)
            self._run.count("drills")

    def _decide(self, action: str, chosen: Choice, reason: str) -> None:
        backup, volume = chosen.backup, chosen.volume
        what = f"of volume {volume.volume_name or volume.volume_id}, {backup.size_gib} GiB"
        chained = f"a chain of {chosen.chain_length}"
        self._run.decide(
            Decision(action, "backup", backup.id, backup.name, f"{what}, {chained}: {reason}")
        )

    def _look_at_flavor(self) -> None:
        """ConfigError if volumes are to be booted with a flavor that Nova does not have."""
        flavor = self._run.settings.verify.boot
        if flavor is None:
            return
        try:
            self._run.cloud.scratch_servers.flavor_id(flavor)
        except Refused as refusal:
            raise ConfigError([str(refusal)]) from refusal

    def _look_at_quota(self) -> None:
        """See what the quota of our own project leaves."""
        quotas = self._run.cloud.lookups.volume_quotas(self._run.cloud.login().project_id)
        self._room = self._room._replace(
            quota_gib=quotas.gigabytes.left, quota_volumes=quotas.volumes.left
        )

    def _candidates(self) -> list[Candidate]:
        """The volumes to choose from, whom to prove first."""
        volumes = {one.volume_id: one for one in self._volumes()}
        drills = self._run.store.drills.of_volumes(volumes)
        return in_order(
            Candidate(volume, drills.get(volume_id, ())) for volume_id, volume in volumes.items()
        )

    def _candidate(self, volume: InventoryVolume) -> Candidate:
        drills = self._run.store.drills.of_volumes([volume.volume_id])
        return Candidate(volume, drills.get(volume.volume_id, ()))

    def _volumes(self) -> Iterator[InventoryVolume]:
        inventory, request = self._run.store.inventory, self._request
        if request.is_open:
            yield from (
                one
                for one in inventory.all_volumes()
                if one.protected and one.gone_at is None and one.last_success_at is not None
            )
        for wanted in request.volumes:
            yield lookup.volume(self._run.runtime, wanted)
        for wanted in request.servers:
            server = lookup.server(self._run.runtime, wanted)
            yield from inventory.volumes_of_server(server.server_id)
        if request.projects:
            wanted_ids = {
                lookup.project(self._run.runtime, project).project_id
                for project in request.projects
            }
            yield from (one for one in inventory.all_volumes() if one.project_id in wanted_ids)
