"""Nova's rows of servers: what a listing is read for, and the definition that it shows besides."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from staffeln_cli.cloud import decode
from staffeln_cli.model import ProjectId, Server, ServerId, VolumeId
from staffeln_cli.model.servers import Address, Attached, ServerDefinition
from staffeln_cli.model.text import storable

_SETTLED = frozenset({"ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED", "SHELVED", "SHELVED_OFFLOADED"})
"""While a server is built or deleted, Nova shows it without its addresses and volumes."""
_EMPTY = frozenset({b"", b'""', b"[]", b"null"})


class _RawFlavor(Struct):
    id: Raw


class RawServer(Struct):
    """A row of Nova's /servers/detail at 2.26.

    What says how the server was made becomes one text as it came: to decode it would cost more
    than all else, and as it is it would keep the whole page in memory.
    """

    id: decode.Id
    tenant_id: decode.Id
    created_at: str = field(name="created")
    name: str | None = None
    metadata: Raw = decode.NULL
    status: str = ""
    task_state: str | None = field(name="OS-EXT-STS:task_state", default=None)
    user_id: Raw = decode.NULL
    flavor: _RawFlavor | None = None
    """Without its links, which are as long as all else."""
    image: Raw = decode.NULL
    description: Raw = decode.NULL
    key_name: Raw = decode.NULL
    config_drive: Raw = decode.NULL
    zone: Raw = field(name="OS-EXT-AZ:availability_zone", default=decode.NULL)
    user_data: Raw = field(name="OS-EXT-SRV-ATTR:user_data", default=decode.NULL)
    addresses: Raw = decode.NULL
    security_groups: Raw = decode.NULL
    tags: Raw = decode.NULL
    volumes: Raw = field(name="os-extended-volumes:volumes_attached", default=decode.NULL)
    definition: bytes = field(name=" definition", default=b"")  # no service sends that

    def __post_init__(self) -> None:
        """Let go of the page."""
        self.definition, self.flavor = _definition(self), None
        self.metadata = self.metadata.copy()
        for name in _ONCE:
            setattr(self, name, decode.NULL)


def server(raw: RawServer, kept: msgspec.json.Decoder[Any] | None = None) -> Server:
    """A server as the model has it; `kept` reads of its metadata what is asked about."""
    if kept is None:
        metadata = decode.metadata_of(raw.metadata, None)
    else:
        metadata = decode.kept_of(kept.decode(raw.metadata))
    name, project_id = storable(raw.name or ""), ProjectId(raw.tenant_id)
    return Server(ServerId(raw.id.lower()), name, project_id, metadata, raw.definition)


def reader(metadata_keys: Collection[str]) -> Callable[[RawServer], Server]:
    """Reads rows of which only these metadata are kept: a row may have 128 long ones."""
    kept = decode.kept_metadata(metadata_keys)
    return partial(server, kept=msgspec.json.Decoder(kept | None))


_ONCE = (
    "user_id",
    "image",
    "description",
    "key_name",
    "config_drive",
    "zone",
    "user_data",
    "addresses",
    "security_groups",
    "tags",
    "volumes",
)
"""What is read for the definition only."""
_BETWEEN = b"\0"
"""No JSON has it; without the names of the parts most definitions are small objects of Python."""


def _definition(raw: RawServer) -> bytes:
    """What Nova shows of how the server was made, part by part; empty where it may lack any.

    A server that boots from neither an image nor a volume does not exist: then a cell could not
    tell its volumes.
    """
    if raw.task_state is not None or raw.status not in _SETTLED or raw.flavor is None:
        return b""
    if bytes(raw.volumes) in _EMPTY and bytes(raw.image) in _EMPTY:
        return b""
    flavor_id = raw.flavor.id
    return _BETWEEN.join((flavor_id, *(getattr(raw, name) for name in _ONCE), raw.metadata))


def definition_text(definition: bytes) -> str:
    """What a listing has shown of how a server was made, as a JSON object."""
    texts = definition.decode(errors="replace").split(_BETWEEN.decode())
    flavor_id, *others = texts
    pairs = zip((*_ONCE, "metadata"), others, strict=True)
    rest = ",".join(f'"{name}":{text}' for name, text in pairs)
    return f'{{"flavor":{{"id":{flavor_id}}},{rest}}}'


class _RawAttached(Struct):
    id: decode.Id
    delete_on_termination: bool = False


class _Attaching(Struct):
    volumes: list[_RawAttached] = field(name="os-extended-volumes:volumes_attached", default=[])


class _OneAttaching(Struct):
    server: _Attaching


def volume_ids(body: bytes) -> list[VolumeId]:
    """The volumes that Nova says are attached to the one server of an answer."""
    answer = msgspec.json.decode(body, type=_OneAttaching)
    return [VolumeId(volume.id) for volume in answer.server.volumes]


class _RawAddress(Struct):
    addr: str
    version: int = 4
    kind: str = field(name="OS-EXT-IPS:type", default="fixed")
    mac: str | None = field(name="OS-EXT-IPS-MAC:mac_addr", default=None)


class _RawReference(Struct):
    id: str = ""


class _RawGroup(Struct):
    name: str


class _RawDefinition(Struct):
    """What `_definition` has written."""

    flavor: _RawReference
    user_id: str | None = None
    image: _RawReference | str | None = None
    description: str | None = None
    key_name: str | None = None
    config_drive: str | bool | None = None
    zone: str | None = None
    user_data: str | None = None
    metadata: dict[str, str] | None = None
    tags: list[str] | None = None
    security_groups: list[_RawGroup] | None = None
    addresses: dict[str, list[_RawAddress]] | None = None
    volumes: list[_RawAttached] | None = None


def definition_of(
    server_id: ServerId, name: str, project_id: ProjectId, text: str
) -> ServerDefinition:
    """A definition that was kept, as the model has it; NotUnderstood where it is not one."""
    with decode.understood(f"definition of server {server_id}"):
        raw = msgspec.json.decode(text, type=_RawDefinition)
    groups = dict.fromkeys(group.name for group in raw.security_groups or ())
    return ServerDefinition(
        server_id=server_id,
        name=name,
        project_id=project_id,
        user_id=raw.user_id or "",
        flavor=raw.flavor.id,
        image_id=raw.image.id if isinstance(raw.image, _RawReference) else "",
        description=raw.description or "",
        key_name=raw.key_name or "",
        config_drive=str(raw.config_drive).lower() == "true",
        zone=raw.zone or "",
        user_data=raw.user_data or "",
        metadata=raw.metadata or {},
        tags=tuple(raw.tags or ()),
        security_groups=tuple(groups),
        addresses=tuple(_addresses(raw.addresses or {})),
        volumes=tuple(
            Attached(VolumeId(one.id), one.delete_on_termination) for one in raw.volumes or ()
        ),
    )


def _addresses(networks: Mapping[str, list[_RawAddress]]) -> list[Address]:
    return [
        Address(network, one.addr, one.mac or "", one.kind != "floating")
        for network, some in networks.items()
        for one in some
    ]
