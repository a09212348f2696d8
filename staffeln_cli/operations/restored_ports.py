"""The ports of a restored server: with the old addresses where the token may have them."""

from collections.abc import Iterator, Sequence

from staffeln_cli.cloud import PortToMake
from staffeln_cli.errors import Refused, RestorationFailed
from staffeln_cli.model.restorations import NewPort, Part, Restoration
from staffeln_cli.operations.restoration_parts import Made, ensured
from staffeln_cli.planning.recreating import network_problem
from staffeln_cli.runtime import Run


def ports_made(run: Run, restoration: Restoration, parts: Sequence[Part]) -> list[str]:
    """The ids of the ports, in the order of the parts."""
    if not parts:
        return []
    groups = run.cloud.networks.security_groups(restoration.project_id)
    return [_asked_for(run, restoration, part, groups) for part in parts]


def _asked_for(run: Run, restoration: Restoration, part: Part, groups: dict[str, str]) -> str:
    networks, project_id = run.cloud.networks, restoration.project_id
    wanted = wanted_port(part)

    def find() -> str | None:
        return next(iter(networks.ports_named(project_id, part.name)), None)

    def make() -> Made:
        network_id = _network(run, restoration, wanted.network)
        group_ids = tuple(groups[name] for name in wanted.security_groups if name in groups)
        whole = PortToMake(part.name, network_id, wanted.ips, wanted.mac, group_ids)
        return _survivor(run, restoration, whole) or _created(run, restoration, wanted, whole)

    return ensured(run, part, find, make)


def wanted_port(part: Part) -> NewPort:
    """What is asked for."""
    request = part.request
    groups = tuple(request["security_groups"])
    return NewPort(request["network"], tuple(request["ips"]), request["mac"], groups)


def _network(run: Run, restoration: Restoration, name: str) -> str:
    found = run.cloud.networks.networks(restoration.project_id, name)
    problem = network_problem(name, found)
    if problem is not None:
        raise RestorationFailed(problem)
    return found[0]


def _survivor(run: Run, restoration: Restoration, port: PortToMake) -> Made | None:
    """A port that people had made outlives its server, and keeps its address."""
    if not port.ips:
        return None
    found = run.cloud.networks.free_port(restoration.project_id, port.network_id, port.ips[0])
    return Made(found) if found is not None else None


def _created(run: Run, restoration: Restoration, wanted: NewPort, whole: PortToMake) -> Made:
    """With MAC and addresses, or without what is refused, which is named then."""
    refusal: Refused | None = None
    for attempt, lost in _attempts(wanted, whole):
        try:
            port_id = run.cloud.networks.create_port(restoration.project_id, attempt)
        except Refused as error:
            refusal = error
        else:
            return Made(port_id, f"{lost}: {refusal}" if lost is not None else None)
    raise refusal or Refused("no port could be made")


def _attempts(wanted: NewPort, whole: PortToMake) -> Iterator[tuple[PortToMake, str | None]]:
    name, network, groups = whole.name, whole.network_id, whole.group_ids
    addresses = ", ".join(wanted.ips)
    yield whole, None
    if whole.mac and whole.ips:
        without_mac = PortToMake(name, network, whole.ips, "", groups)
        yield without_mac, f"the MAC address {whole.mac} of {addresses} could not be had again"
    lost = f"address {addresses} in network {wanted.network} could not be had again"
    yield PortToMake(name, network, (), "", groups), lost
