"""What is brought back, looked at before anything is made: backups, flavor, networks, quotas."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from staffeln_cli.commands.restore.checks import possible
from staffeln_cli.commands.restore.choices import newest, planned
from staffeln_cli.commands.restore.plan import Choice, Plan, RestoreRequest
from staffeln_cli.errors import CloudUnavailable, Refused
from staffeln_cli.model import DrillState, InventoryVolume, ProjectId, VolumeId
from staffeln_cli.model.restorations import NewPort, NewServer, PartKind
from staffeln_cli.model.servers import ServerDefinition
from staffeln_cli.planning.recovery import RecoveryRates
from staffeln_cli.planning.recreating import (
    BootRules,
    ServerOverrides,
    needed_volumes,
    network_problem,
    new_ports,
    new_server,
    quota_problem,
)
from staffeln_cli.planning.verification import chain_of
from staffeln_cli.runtime import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A server or volume that can be brought back."""

    kind: PartKind
    item_id: str
    name: str
    project_id: ProjectId
    plans: Sequence[Plan]
    """In the order of the devices."""
    deleted_with_server: Sequence[bool] = ()
    has_root: bool = False
    server: NewServer | None = None
    ports: Sequence[NewPort] = ()
    differences: Sequence[str] = ()
    seconds: float | None = None
    """How long its longest restore should take; None: no drill has measured any."""

    @property
    def order(self) -> tuple[bool, float, int, str]:
        """Smallest expected time first; where that is not known, the smallest size."""
        size_gib = sum(plan.new.size_gib for plan in self.plans)
        return self.seconds is None, self.seconds or 0.0, size_gib, self.item_id


class _Problem(Exception):
    """Why something cannot be brought back."""


_PROBLEMS = (_Problem, Refused, CloudUnavailable)


class Preparation:
    """Looks at what is needed; what it has asked for once it does not ask for again."""

    def __init__(self, run: Run, request: RestoreRequest) -> None:
        self._run = run
        self._request = request
        self._flavors: dict[str, tuple[int, int] | None] = {}

    def prepared(
        self, servers: Sequence[ServerDefinition], volumes: Sequence[InventoryVolume]
    ) -> list[Prepared]:
        """What can be brought back; each other thing is named, with one sentence."""
        looked: list[Prepared] = []
        for definition in servers:
            try:
                looked.append(self._server(definition))
            except _PROBLEMS as problem:
                self._fail("server", definition.server_id, definition.name, str(problem))
        for volume in volumes:
            try:
                looked.append(self._volume(volume))
            except _PROBLEMS as problem:
                self._fail("volume", volume.volume_id, volume.volume_name, str(problem))
        return self._within_compute_quota(self._within_volume_quota(looked))

    def _server(self, definition: ServerDefinition) -> Prepared:
        self._need_absence(definition)
        overrides = ServerOverrides(
            self._request.flavor, self._request.overrides.availability_zone
        )
        server, differences = new_server(definition, self._rules_for(definition), overrides)
        if self._flavor(server.flavor) is None:
            advice = "choose another with --flavor"
            raise _Problem(f"there is no flavor {server.flavor!r} any more; {advice}")
        ports = new_ports(definition)
        differences += self._missing_networks(definition, ports)
        ids = [one.volume_id for one in definition.volumes]
        known = self._run.store.inventory.volumes(ids)
        needed = needed_volumes(definition, known)
        if needed.problem is not None:
            raise _Problem(needed.problem)
        plans, seconds = self._plans([one.volume_id for one in needed.restored])
        return Prepared(
            kind=PartKind.SERVER,
            item_id=definition.server_id,
            name=definition.name,
            project_id=definition.project_id,
            plans=plans,
            deleted_with_server=[one.deleted_with_server for one in needed.restored],
            has_root=needed.has_root,
            server=server,
            ports=ports,
            differences=(*differences, *needed.differences),
            seconds=seconds,
        )

    def _need_absence(self, definition: ServerDefinition) -> None:
        """_Problem while the server exists: two would do the same work under one name."""
        if self._request.prints:
            return
        found = self._run.cloud.servers.status(definition.server_id)
        if found is not None:
            command = f"staffeln restore --server {definition.server_id}"
            raise _Problem(
                f"it still exists, with status {found.status}: delete it first, or restore its"
                f" volumes alone: {command}"
            )

    def _volume(self, volume: InventoryVolume) -> Prepared:
        plans, seconds = self._plans([volume.volume_id])
        return Prepared(
            kind=PartKind.VOLUME,
            item_id=volume.volume_id,
            name=volume.volume_name,
            project_id=volume.project_id,
            plans=plans,
            differences=_detached(volume),
            seconds=seconds,
        )

    def _plans(self, volume_ids: Sequence[VolumeId]) -> tuple[list[Plan], float | None]:
        """The restores, and how long the longest of them should take."""
        choices: list[Choice] = []
        longest: float | None = None
        for volume_id in volume_ids:
            best = newest(self._run, volume_id, self._request.at)
            if best.backup is None:
                raise _Problem(f"its volume {volume_id} {best.reason}")
            choices.append(Choice(best.backup, best.reason))
            _, length = chain_of(best.backup, best.listed)
            expected = self._rates.expected(best.backup.size_gib, length)
            if expected is not None:
                longest = max(longest or 0.0, expected.median)
        return planned(self._run, choices, self._request.overrides), longest

    def _rules_for(self, definition: ServerDefinition) -> BootRules:
        if self._request.prints:  # whoever types the commands may be the one who has the key
            return self._rules._replace(user_id=definition.user_id, keys={definition.key_name})
        return self._rules

    @cached_property
    def _rules(self) -> BootRules:
        servers = self._run.cloud.servers
        return BootRules(servers.zones(), self._run.cloud.login().user_id, servers.own_keys())

    @cached_property
    def _rates(self) -> RecoveryRates:
        return RecoveryRates(self._run.store.drills.ended_in([DrillState.PASSED]))

    def _flavor(self, flavor_id: str) -> tuple[int, int] | None:
        if flavor_id not in self._flavors:
            found = self._run.cloud.servers.flavor(flavor_id)
            self._flavors[flavor_id] = (found.cores, found.ram) if found is not None else None
        return self._flavors[flavor_id]

    def _missing_networks(
        self, definition: ServerDefinition, ports: Sequence[NewPort]
    ) -> Iterator[str]:
        """_Problem for a network that cannot be used; the security groups that are gone."""
        if not ports:
            return
        networks, project_id = self._run.cloud.networks, definition.project_id
        for name in sorted({port.network for port in ports}):
            problem = network_problem(name, networks.networks(project_id, name))
            if problem is not None:
                raise _Problem(problem)
        groups = networks.security_groups(project_id)
        for name in definition.security_groups:
            if name not in groups:
                yield f"security group {name} is gone"

    def _within_volume_quota(self, looked: Sequence[Prepared]) -> list[Prepared]:
        plans = [plan for one in looked for plan in one.plans]
        good = {plan.backup.id for plan in possible(self._run, plans)}
        whole: list[Prepared] = []
        for one in looked:
            if all(plan.backup.id in good for plan in one.plans):
                whole.append(one)
            elif one.kind is PartKind.SERVER:
                reason = "nothing was made: not all of its volumes can be restored, see there"
                self._fail("server", one.item_id, one.name, reason)
        return whole

    def _within_compute_quota(self, looked: Sequence[Prepared]) -> list[Prepared]:
        """Those of the projects that have room for all of theirs."""
        full: set[ProjectId] = set()
        for project_id in {one.project_id for one in looked if one.server is not None}:
            quotas = self._run.cloud.servers.quotas(project_id)
            servers = [one.server for one in looked if one.project_id == project_id]
            wanted = [self._flavor(one.flavor) or (0, 0) for one in servers if one is not None]
            room = {name: quota.left for name, quota in quotas.items()}
            problem = quota_problem(wanted, room)
            if problem is not None:
                full.add(project_id)
                self._run.fail("project", project_id, f"nothing was made in it: {problem}")
                self._run.count("failed", len(wanted))
        return [one for one in looked if one.project_id not in full]

    def _fail(self, kind: str, item_id: str, name: str, reason: str) -> None:
        self._run.fail(kind, item_id, reason, name=name)
        self._run.count("failed")


def _detached(volume: InventoryVolume) -> Sequence[str]:
    if volume.server_id is None:
        return ()
    server = volume.server_name or volume.server_id
    command = f"openstack server add volume {volume.server_id} VOLUME"
    return (f"it is not attached to server {server}: {command}",)
