"""What a server needs to be like a lost one, why it cannot be made, and in what it differs."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from staffeln_cli.model import InventoryVolume, VolumeId
from staffeln_cli.model.restorations import NewPort, NewServer
from staffeln_cli.model.servers import Attached, ServerDefinition


class BootRules(NamedTuple):
    """What Nova and its login allow."""

    zones: Collection[str]
    user_id: str
    """Of the login."""
    keys: Collection[str]
    """Of the login's user."""


class ServerOverrides(NamedTuple):
    """What the operator wants to be different from the lost server."""

    flavor: str | None = None
    zone: str | None = None


class NeededVolumes(NamedTuple):
    """The volumes of a lost server."""

    restored: Sequence[Attached]
    """The root disk first, then in the order of the devices."""
    has_root: bool
    """Whether the first one is the root disk; else it is made of an image."""
    differences: Sequence[str]
    problem: str | None = None


def needed_volumes(
    definition: ServerDefinition, known: Mapping[VolumeId, InventoryVolume]
) -> NeededVolumes:
    """What of a server is restored; a volume that was never backed up is left out, and named."""
    attached = definition.volumes
    backed_up = [one for one in attached if _was_backed_up(known.get(one.volume_id))]
    left_out = [one for one in attached if one not in backed_up]
    differences = tuple(_left_out(one, known.get(one.volume_id)) for one in left_out)
    if definition.image_id:
        text = "its root disk was no volume: it begins anew from its image"
        return NeededVolumes(backed_up, False, (text, *differences))
    root = next((one for one in attached if _is_bootable(known.get(one.volume_id))), None)
    if root is None:
        return NeededVolumes((), False, differences, "none of its volumes is known to be bootable")
    if root not in backed_up:
        return NeededVolumes(
            (), False, differences, f"its root volume {root.volume_id} was never backed up"
        )
    others = [one for one in backed_up if one is not root]
    return NeededVolumes((root, *others), True, differences)


def _was_backed_up(volume: InventoryVolume | None) -> bool:
    return volume is not None and volume.last_success_at is not None


def _is_bootable(volume: InventoryVolume | None) -> bool:
    return volume is not None and volume.bootable


def _left_out(attached: Attached, volume: InventoryVolume | None) -> str:
    name = volume.volume_name if volume is not None else ""
    called = f"volume {name or attached.volume_id}"
    if volume is not None and volume.gone_at is None:
        return (
            f"{called} was never backed up, and it still exists; attach it:"
            f" openstack server add volume SERVER {attached.volume_id}"
        )
    return f"{called} was never backed up: it is lost"


def new_server(
    definition: ServerDefinition, rules: BootRules, overrides: ServerOverrides
) -> tuple[NewServer, list[str]]:
    """The server to ask for, and in what it differs from the lost one."""
    differences: list[str] = []
    zone = overrides.zone if overrides.zone in rules.zones else definition.zone or None
    if zone is not None and zone not in rules.zones:
        differences.append(f"zone {zone} is gone: it is where Nova chooses")
        zone = None
    if overrides.flavor is not None and overrides.flavor != definition.flavor:
        differences.append(f"its flavor is {overrides.flavor}, not {definition.flavor}")
    key_name = definition.key_name
    if key_name and (definition.user_id != rules.user_id or key_name not in rules.keys):
        differences.append(
            f"key {key_name} is one of user {definition.user_id or 'unknown'}, which nobody else"
            " can use: it has none; its disk has what the key was written to"
        )
        key_name = ""
    return (
        NewServer(
            name=definition.name,
            flavor=overrides.flavor or definition.flavor,
            zone=zone,
            image_id=definition.image_id,
            description=definition.description,
            key_name=key_name,
            config_drive=definition.config_drive,
            user_data=definition.user_data,
            metadata=dict(definition.metadata),
            tags=definition.tags,
        ),
        [*differences, *_floating(definition)],
    )


def _floating(definition: ServerDefinition) -> Iterator[str]:
    for address in definition.addresses:
        if not address.is_fixed:
            yield (
                f"floating address {address.ip} is not assigned:"
                f" openstack server add floating ip SERVER {address.ip}"
            )


def new_ports(definition: ServerDefinition) -> list[NewPort]:
    """The ports of a server: one for each MAC address, with all its fixed addresses."""
    found: dict[tuple[str, str], list[str]] = {}
    for address in definition.addresses:
        if address.is_fixed:
            key = address.network, address.mac or address.ip
            found.setdefault(key, []).append(address.ip)
    macs = {address.mac for address in definition.addresses}
    return [
        NewPort(network, tuple(ips), mac if mac in macs else "", definition.security_groups)
        for (network, mac), ips in found.items()
    ]


def quota_problem(
    flavors: Iterable[tuple[int, int]], room: Mapping[str, int | None]
) -> str | None:
    """Why a project has no room for servers of these cores and RAM; None in `room`: unlimited."""
    needed: Counter[str] = Counter()
    for cores, ram in flavors:
        needed.update({"instances": 1, "cores": cores, "ram": ram})
    for name, number in needed.items():
        left = room.get(name)
        if left is not None and number > left:
            return f"its quota of {name} has room for {left:,}, and {number:,} are needed"
    return None


def network_problem(name: str, found: Sequence[str]) -> str | None:
    """Why a network that is known by its name cannot be used."""
    if len(found) == 1:
        return None
    if not found:
        return f"there is no network {name!r} any more that its project can use"
    return f"{len(found)} networks are called {name!r}: {', '.join(found)}"


def time_for_all(seconds: Sequence[float], lanes: int) -> float:
    """How long works take that are begun in this order, so many at once."""
    ends = [0.0] * lanes
    for duration in seconds:
        ends.sort()
        ends[0] += duration
    return max(ends, default=0.0)


def lost_since(volumes: Iterable[InventoryVolume]) -> datetime | None:
    """Since when all is lost that was backed up of these volumes; None: not noticed of all yet."""
    moments = [
        one.gone_at or one.suspected_gone_at or one.protection_ended_at
        for one in volumes
        if one.last_success_at is not None
    ]
    known = [moment for moment in moments if moment is not None]
    return max(known) if known and len(known) == len(moments) else None
