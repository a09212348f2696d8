"""What a restored volume is like, why it cannot be made, and what people do with it next."""

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from staffeln_cli.model import (
    Backup,
    InventoryVolume,
    NewVolume,
    ServerId,
    Volume,
    VolumeId,
)


class Overrides(NamedTuple):
    """What the operator wants to be different from the source."""

    volume_type: str | None = None
    availability_zone: str | None = None
    name: str | None = None


AS_THE_SOURCE = Overrides()


class Source(NamedTuple):
    """The volume that a backup was made of, as far as it is known."""

    volume_id: VolumeId
    name: str = ""
    size_gib: int = 0
    volume_type: str | None = None
    availability_zone: str | None = None
    bootable: bool = False
    encrypted: bool | None = None
    """None: nobody knows any more."""
    metadata: Mapping[str, str] = {}
    server_id: ServerId | None = None
    server_name: str = ""
    is_attached: bool = False
    """Whether it is on that server now."""


def source_of(backup: Backup, volume: Volume | None, known: InventoryVolume | None) -> Source:
    """The source by Cinder, or by the inventory where it is gone, or what little is left."""
    server_id = known.server_id if known is not None else None
    server_name = known.server_name if known is not None else ""
    if volume is not None:
        attached_to = min(volume.server_ids, default=None)
        return Source(
            volume.id,
            volume.name,
            volume.size_gib,
            volume.volume_type,
            volume.availability_zone,
            volume.bootable,
            volume.encrypted,
            volume.user_metadata,
            attached_to or server_id,
            server_name if attached_to in (None, server_id) else "",
            is_attached=attached_to is not None,
        )
    if known is not None:
        return Source(
            known.volume_id,
            known.volume_name,
            known.size_gib,
            known.volume_type,
            known.availability_zone,
            known.bootable,
            known.encrypted,
            known.user_metadata or {},
            server_id,
            server_name,
        )
    return Source(backup.volume_id)


def new_volume(backup: Backup, source: Source, overrides: Overrides, usual_name: str) -> NewVolume:
    """The volume to ask for: like the source, and at least as large as source and backup."""
    return NewVolume(
        name=overrides.name or usual_name,
        size_gib=max(backup.size_gib, source.size_gib),
        volume_type=overrides.volume_type or source.volume_type,
        availability_zone=overrides.availability_zone or source.availability_zone,
        metadata=dict(source.metadata),
    )


def encryption_problem(source: Source, volume_type: str, *, type_encrypts: bool) -> str | None:
    """Why a type does not fit the encryption of a backup: Cinder copies blocks as they are."""
    if source.encrypted is None or source.encrypted is type_encrypts:
        return None
    if source.encrypted:
        return f"its volume was encrypted, and volumes of type {volume_type} are not"
    return f"its volume was not encrypted, and volumes of type {volume_type} are"


def quota_problem(volumes: Sequence[NewVolume], room: Mapping[str, int | None]) -> str | None:
    """Why a project has no room for these volumes; `room` by Cinder's names, None is unlimited."""
    needed: Counter[str] = Counter()
    for volume in volumes:
        suffixes = ("", f"_{volume.volume_type}") if volume.volume_type else ("",)
        for suffix in suffixes:
            needed[f"volumes{suffix}"] += 1
            needed[f"gigabytes{suffix}"] += volume.size_gib
    for name, number in needed.items():
        left = room.get(name)
        if left is not None and number > left:
            return f"its quota of {name} has room for {max(left, 0):,}, and {number:,} are needed"
    largest = max((volume.size_gib for volume in volumes), default=0)
    most = room.get("per_volume_gigabytes")
    if most is not None and largest > most:
        return f"its quota allows volumes of {most:,} GiB, and {largest:,} GiB are needed"
    return None


class Made(NamedTuple):
    """A restored volume and its source."""

    volume_id: VolumeId
    name: str
    source: Source


class Target(NamedTuple):
    """A server that exists, on which the sources are or were, and what another one needs."""

    server_id: ServerId
    name: str
    flavor: str
    networks: tuple[str, ...]


def next_steps(project: str, target: Target | None, restored: Sequence[Made]) -> Iterator[str]:
    """The commands of the openstack client that put restored volumes of one server to use.

    A running server cannot exchange its root volume: then another one is booted.
    """
    yield f"# with a role in project {project}:"
    root = next((one for one in restored if one.source.bootable), None)
    others = [one for one in restored if one is not root]
    if root is not None:
        yield _boot(target, root, others)
    elif target is not None:
        yield from _exchange(target, others)
    else:
        for one in others:
            yield f"openstack server add volume SERVER {one.volume_id}  # {one.name}"


def _boot(target: Target | None, root: Made, others: Iterable[Made]) -> str:
    name = (target.name if target is not None else root.source.server_name) or root.name
    words = ["openstack", "server", "create", "--flavor"]
    if target is not None and not target.networks:
        words[1:1] = ["--os-compute-api-version", "2.37"]  # the first that knows of no network
    words += [target.flavor if target is not None else "FLAVOR", "--volume", root.volume_id]
    for one in others:
        device = f"uuid={one.volume_id},source_type=volume,destination_type=volume,boot_index=-1"
        words += ["--block-device", device]
    for network in target.networks if target is not None else ():
        words += ["--network", network]
    if target is not None and not target.networks:
        words += ["--nic", "none"]
    return shlex.join([*words, "--wait", f"{name}-restored"])


def _exchange(target: Target, restored: Iterable[Made]) -> Iterator[str]:
    for one in restored:
        if one.source.is_attached:
            yield f"openstack server remove volume {target.server_id} {one.source.volume_id}"
        yield f"openstack server add volume {target.server_id} {one.volume_id}"
