"""What one pass of collect knows of the cloud before it looks at the volumes."""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from staffeln_cli.commands.collect import definitions
from staffeln_cli.commands.collect.projects import judge_projects
from staffeln_cli.config.rules import chain_limits, grace, schedule, selection_rules
from staffeln_cli.model import (
    BackupRecord,
    InventoryVolume,
    Project,
    ProjectId,
    ScheduledPlan,
    Server,
    ServerId,
    State,
    Volume,
    VolumeId,
)
from staffeln_cli.operations.whole_cloud import check_whole_cloud
from staffeln_cli.planning.chains.summary import ChainSummary, summaries_of
from staffeln_cli.planning.evidence import Confirmation, is_mass
from staffeln_cli.planning.protection import due, selection
from staffeln_cli.planning.protection.due import Schedule
from staffeln_cli.planning.protection.full_or_incremental import ChainLimits
from staffeln_cli.planning.protection.pausing import Pauses
from staffeln_cli.planning.protection.rules import Rules
from staffeln_cli.planning.retention.shortening import Grace
from staffeln_cli.runtime import Run

_TOKENS_AT_ONCE = 500


def _tokens() -> Iterator[str]:
    """Random texts of 16 characters without end.

    The system is asked for many at once: one by one, that takes longer than the rest of a plan.
    """
    while True:
        text = secrets.token_hex(8 * _TOKENS_AT_ONCE)
        yield from (text[start : start + 16] for start in range(0, len(text), 16))


@dataclass(slots=True)
class CloudView:
    """The listings of one pass, and what it has seen of the volumes so far."""

    now: datetime
    confirmation: Confirmation
    servers: dict[ServerId, Server]
    projects: dict[ProjectId, Project]
    """Those that Keystone lists, and those that it does not list without being gone."""
    chains: dict[tuple[ProjectId, VolumeId], ChainSummary]
    limits: ChainLimits
    unfinished: dict[VolumeId, State]
    """The volumes not seen so far that have an unfinished record, and its state."""
    unrestorable: dict[VolumeId, datetime]
    rules: Rules
    grace: Grace
    protected: int
    """How many volumes were protected before this pass."""
    pauses: Pauses
    schedule: Schedule
    plan_until: datetime
    """What is due by then is planned: by the next opening of the window, or now."""
    plans: Mapping[VolumeId, ScheduledPlan]
    """What waits for the window; empty where there is none."""
    seen: dict[VolumeId, State | None] = field(default_factory=dict)
    """The volumes seen so far, and the states of their unfinished records, if they have any."""
    temporary: set[VolumeId] = field(default_factory=set)
    """Listed, but created by Cinder for its own use: neither judged nor absent."""
    owners: set[ProjectId] = field(default_factory=set)
    """The projects that own the volumes seen."""
    server_owners: set[ProjectId] = field(default_factory=set)
    """The projects that own volumes which Cinder says are attached to a server."""
    unknown_servers: set[ServerId] = field(default_factory=set)
    """Cinder attaches protected volumes to them, and Nova does not list them."""
    rows: list[InventoryVolume] = field(default_factory=list)
    """New and changed rows of the inventory that `write_down` is to write."""
    records: list[BackupRecord] = field(default_factory=list)
    """New records that it is to write."""
    ending_ids: list[VolumeId] = field(default_factory=list)
    """The volumes that lose their protection."""
    ending: list[InventoryVolume] = field(default_factory=list)
    """Their new rows, saved when the listing has ended; none where they are a mass."""
    tokens: Iterator[str] = field(default_factory=_tokens)
    """For new records."""

    def note_seen(self, volume_ids: Iterable[VolumeId]) -> None:
        """Note volumes as seen; of a hundred thousand ids none is kept twice."""
        for one in volume_ids:
            if one not in self.seen:
                self.seen[one] = self.unfinished.pop(one, None)

    @property
    def is_ending_mass(self) -> bool:
        """Whether so many lose their protection that it is not believed unasked."""
        return not self.confirmation.is_given and is_mass(len(self.ending_ids), self.protected)

    def note_ending(self, rows: Sequence[InventoryVolume]) -> None:
        """These volumes lose their protection; the rows of a mass need no memory."""
        self.ending_ids += [row.volume_id for row in rows]
        self.ending += rows
        if self.is_ending_mass:
            self.ending.clear()


def look(
    run: Run, volumes: Iterator[list[Volume]], confirmation: Confirmation
) -> tuple[CloudView, list[Volume]]:
    """List all but the volumes, at the same time, and return the first page of the volumes.

    Asking for that page starts to fetch the next ones while the other listings come in.
    """
    listings, records = run.cloud.listings, run.store.records
    now, rules, times = run.now(), selection_rules(run.settings), schedule(run.settings)
    with ThreadPoolExecutor(3, thread_name_prefix="listing") as pool:
        chains = pool.submit(lambda: summaries_of(listings.backups()))
        servers = pool.submit(
            lambda: _servers(definitions.kept(run, listings.servers(), rules, now), rules)
        )
        projects = pool.submit(lambda: {project.id: project for project in listings.projects()})
        first = next(volumes, [])
        unfinished, unrestorable = records.planned_or_unfinished(), records.newest_unrestorable()
    _require_all_backups(run, chains.result(), confirmation)
    view = CloudView(
        now=now,
        confirmation=confirmation,
        servers=servers.result(),
        projects=judge_projects(run, projects.result(), confirmation, now),
        chains=chains.result(),
        limits=chain_limits(run.settings.backup),
        unfinished=unfinished,
        unrestorable=unrestorable,
        rules=rules,
        grace=grace(run.settings.retention),
        protected=run.store.inventory.count_protected(),
        pauses=run.store.pauses.held(now),
        schedule=times,
        plan_until=due.plan_until(times, now),
        plans=records.scheduled_plans() if times.window is not None else {},
    )
    run.counts["servers"] = len(view.servers)
    return view, first


def _require_all_backups(
    run: Run, chains: Iterable[tuple[ProjectId, VolumeId]], confirmation: Confirmation
) -> None:
    owners = {project_id for project_id, _ in chains}
    check_whole_cloud(
        run, "backups", owners, run.store.records.owners, confirmed=confirmation.is_given
    )


def _servers(servers: Iterable[Server], rules: Rules) -> dict[ServerId, Server]:
    return {server.id: server for server in selection.narrowed(servers, rules)}
