"""The commands of the openstack client that bring a server back, for those whose token may not."""

import shlex
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from staffeln_cli.model import BackupId, NewVolume
from staffeln_cli.model.restorations import NewPort, NewServer


class VolumeToMake(NamedTuple):
    """A volume, the backup that it is made of, and how it is attached."""

    backup_id: BackupId
    new: NewVolume
    is_root: bool
    deleted_with_server: bool


class ServerToMake(NamedTuple):
    """A server with all that it needs."""

    project: str
    new: NewServer
    volumes: Sequence[VolumeToMake]
    ports: Sequence[NewPort]
    differences: Sequence[str]


def commands(server: ServerToMake) -> Iterator[str]:
    """A script for a POSIX shell: volumes, ports, and the server that has them."""
    yield f"# server {server.new.name}, with a role in project {server.project}:"
    for difference in server.differences:
        yield f"# differs: {difference}"
    for number, volume in enumerate(server.volumes):
        yield f"volume{number}=$({volume_command(volume)})"
    for number in range(len(server.volumes)):
        show = f'openstack volume show -f value -c status "$volume{number}"'
        yield f'until [ "$({show})" = available ]; do sleep 10; done'
    if server.volumes and server.volumes[0].is_root:
        yield 'openstack volume set --bootable "$volume0"'
    for number, port in enumerate(server.ports):
        yield f"port{number}=$({_port(server.new.name, number, port)})"
    if server.new.user_data:
        yield f"echo {server.new.user_data} | base64 -d >user-data"
    yield _server(server)


def volume_command(volume: VolumeToMake) -> str:
    """The command that restores one volume, and shows its id."""
    words = ["openstack", "--os-volume-api-version", "3.47", "volume", "create"]
    words += ["--backup", volume.backup_id, "--size", str(volume.new.size_gib)]
    if volume.new.volume_type:
        words += ["--type", volume.new.volume_type]
    if volume.new.availability_zone:
        words += ["--availability-zone", volume.new.availability_zone]
    for key, value in volume.new.metadata.items():
        words += ["--property", f"{key}={value}"]
    return shlex.join([*words, "-f", "value", "-c", "id", volume.new.name])


def _port(server_name: str, number: int, port: NewPort) -> str:
    words = ["openstack", "port", "create", "--network", port.network]
    for ip in port.ips:
        words += ["--fixed-ip", f"ip-address={ip}"]
    if port.mac:
        words += ["--mac-address", port.mac]
    for group in port.security_groups:
        words += ["--security-group", group]
    return shlex.join([*words, "-f", "value", "-c", "id", f"{server_name}-{number}"])


def _server(server: ServerToMake) -> str:
    new = server.new
    words = ["openstack", "--os-compute-api-version", "2.52", "server", "create"]
    words += ["--flavor", new.flavor]
    pairs = [
        ("--availability-zone", new.zone or ""),
        ("--image", new.image_id),
        ("--description", new.description),
        ("--key-name", new.key_name),
        ("--config-drive", "True" if new.config_drive else ""),
        ("--user-data", "user-data" if new.user_data else ""),
    ]
    for option, value in pairs:
        words += [option, value] if value else []
    for key, value in new.metadata.items():
        words += ["--property", f"{key}={value}"]
    for tag in new.tags:
        words += ["--tag", tag]
    quoted = shlex.join(words)
    devices = " ".join(_device(number, one) for number, one in enumerate(server.volumes))
    nics = " ".join(f'--port "$port{number}"' for number in range(len(server.ports)))
    name = shlex.quote(new.name)
    parts = (quoted, devices, nics or "--nic none", "--wait", name)
    return " ".join(part for part in parts if part)


def _device(number: int, volume: VolumeToMake) -> str:
    doomed = str(volume.deleted_with_server).lower()
    index = 0 if volume.is_root else -1
    return (
        f'--block-device "uuid=$volume{number},source_type=volume,destination_type=volume,'
        f'boot_index={index},delete_on_termination={doomed}"'
    )
