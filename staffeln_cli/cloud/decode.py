"""Raw JSON of the services to facts of the model: every odd field is straightened here."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, defstruct, field, structs

from staffeln_cli.errors import NotUnderstood, NotWholeCloud
from staffeln_cli.model import (
    Backup,
    BackupId,
    Project,
    ProjectId,
    ServerId,
    Volume,
    VolumeId,
)
from staffeln_cli.model.text import first_line, storable

NULL = msgspec.Raw(b"null")
ODD = (msgspec.MsgspecError, LookupError, TypeError, ValueError, OverflowError, RecursionError)
"""What is raised where an answer is not what its service promises, or nested without an end."""
MOST = 2**31 - 1
"""What Cinder's own database can hold, and ours."""
Size = Annotated[int, Meta(ge=0, le=MOST)]
"""GiB."""
Id = Annotated[str, Meta(min_length=1, max_length=255)]
"""What an index of a database can hold; without any text, it would lead to a whole listing."""
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""Between these, any zone and any retention can be reckoned with."""
_SUSPECT = (b"\\u0000", b"\\ud", b"\\uD")
_ESCAPE = re.compile(
    rb"\\(?:(u0000)|(u[dD][89abAB]..\\u[dD][c-fC-F]..)|(u[dD][89a-fA-F]..)|.)", re.DOTALL
)
"""In JSON: a NUL, both halves of a character, a half of one, or anything else."""


class RawAttachment(Struct):
    """An attachment of a volume; without a server it is a host's, cinder-backup's say."""

    server_id: str | None = None


class RawVolume(Struct):
    """A row of Cinder's /volumes/detail at 3.65."""

    id: Id
    status: str
    size: Size
    created_at: str
    project_id: str = field(name="os-vol-tenant-attr:tenant_id", default="")
    name: str | None = None
    attachments: list[RawAttachment] = []
    metadata: msgspec.Raw = NULL
    volume_type: str | None = None
    availability_zone: str | None = None
    bootable: str | None = None
    encrypted: bool | None = None
    migration_status: str | None = None


class RawBackup(Struct):
    """A row of Cinder's /backups/detail at 3.64."""

    id: Id
    volume_id: Id
    status: str
    created_at: str
    project_id: str = field(name="os-backup-project-attr:project_id", default="")
    name: str | None = None
    size: Size | None = None
    is_incremental: bool = False
    has_dependent_backups: bool = False
    data_timestamp: str | None = None
    updated_at: str | None = None
    snapshot_id: str | None = None
    fail_reason: str | None = None
    metadata: dict[str, str] | None = None
    availability_zone: str | None = None
    container: str | None = None


class Identified(Struct):
    """A row of which nothing is asked but its id."""

    id: Id


class RawProject(Struct):
    """A row of Keystone's /projects."""

    id: Id
    name: str | None = None
    domain_id: str | None = None
    enabled: bool = True


@contextmanager
def understood(what: str) -> Iterator[None]:
    """An answer that is not what the service's API promises, a proxy's page say, in our words."""
    try:
        yield
    except ODD as error:
        raise NotUnderstood(f"{what}: answer not understood: {first_line(error)}") from error


def storable_json(body: bytes) -> bytes:
    """An answer in JSON of which a database can hold every text, as `storable` makes them."""
    if b"\\" not in body or not any(one in body for one in _SUSPECT):
        return body
    return _ESCAPE.sub(_storable_escape, body)


def _storable_escape(found: re.Match[bytes]) -> bytes:
    nul, _, half = found.groups()
    return b"" if nul else b"?" if half else found[0]


def check_same(asked: str, shown: object) -> None:
    """ValueError where an answer is about another thing than the one that was asked for."""
    if asked.lower() != str(shown).lower():
        raise ValueError(f"it is about {shown}")


def volume(raw: RawVolume, kept: type[Struct] | None = None) -> Volume:
    """A volume as the model has it; NotWholeCloud where its project is not shown.

    Of very long metadata only the keys of `kept` are read.
    """
    if not raw.project_id:
        raise NotWholeCloud(_HIDDEN.format("volume", raw.id, _VOLUME_OWNER), _VOLUME_ADVICE)
    return Volume(
        VolumeId(raw.id.lower()),  # the same id in another case is no other volume
        storable(raw.name or ""),
        ProjectId(raw.project_id),
        raw.status,
        raw.size,
        tuple(
            ServerId(attachment.server_id.lower())
            for attachment in raw.attachments
            if attachment.server_id
        ),
        metadata_of(raw.metadata, kept),
        raw.volume_type,
        raw.availability_zone,
        raw.bootable == "true",  # Cinder says it in words
        bool(raw.encrypted),
        raw.migration_status,
    )


def backup(raw: RawBackup) -> Backup:
    """A backup as the model has it; NotWholeCloud where its project is not shown."""
    if not raw.project_id:
        raise NotWholeCloud(_HIDDEN.format("backup", raw.id, _BACKUP_OWNER), _BACKUP_ADVICE)
    created_at = moment(raw.created_at)
    return Backup(
        BackupId(raw.id.lower()),
        storable(raw.name or ""),
        VolumeId(raw.volume_id.lower()),
        ProjectId(raw.project_id),
        raw.status,
        raw.size or 0,
        raw.is_incremental,
        created_at,
        created_at if raw.data_timestamp in (None, raw.created_at) else moment(raw.data_timestamp),
        moment(raw.updated_at) if raw.updated_at else None,
        raw.snapshot_id,
        raw.has_dependent_backups,
        storable(raw.fail_reason or "") or None,
        _ours(raw.metadata or {}),
        _location(raw),
    )


def _location(raw: RawBackup) -> str:
    """Drivers of file systems make a container of each backup, named by its id."""
    zone, container = raw.availability_zone or "", raw.container
    return zone if not container or raw.id in container else f"{zone}/{container}"


def project(row: RawProject) -> Project:
    """A project as the model has it."""
    name = storable(row.name or "")
    return Project(ProjectId(row.id), name, row.domain_id or "", row.enabled)


def moment(text: str) -> datetime:
    """Cinder means UTC but does not say so. ValueError for what cannot be meant."""
    try:
        parsed = datetime.fromisoformat(f"{text}Z")  # a tenth of what replace(tzinfo=UTC) takes
    except ValueError:
        parsed = datetime.fromisoformat(text)
        parsed = parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
    if not _EARLIEST <= parsed <= _LATEST:
        raise ValueError(f"{text} is no moment at which anything can have happened")
    return parsed.astimezone(UTC)


_HIDDEN = (
    "{} {}: Cinder does not show its project ({}), which only admins are shown, so that the"
    " listing may lack what belongs to other projects"
)
_ADVICE = "see that the login still has a role of cloud.admin_roles, and Cinder's policy "
_VOLUME_OWNER = "os-vol-tenant-attr:tenant_id"
_VOLUME_ADVICE = f"{_ADVICE}volume_extension:volume_tenant_attribute"
_BACKUP_OWNER = "os-backup-project-attr:project_id"
_BACKUP_ADVICE = f"{_ADVICE}backup:backup_project_attribute"
_MANY = 16
_LONG = 4096
"""Characters of metadata; a tenant may write ten times as many on each volume."""
_metadata_decoder = msgspec.json.Decoder(dict[str, str] | None)


def _ours(metadata: dict[str, str]) -> dict[str, str]:
    """Of a backup's metadata what Staffeln wrote, where somebody wrote much more."""
    if len(metadata) < _MANY:
        return metadata
    return {key: value for key, value in metadata.items() if key.startswith("staffeln:")}


def metadata_of(raw: msgspec.Raw, kept: type[Struct] | None) -> Mapping[str, str]:
    """Metadata as the model has it; of very long ones only the kept keys, if keys are named.

    Most rows say the same, and share what they say.
    """
    text = memoryview(raw)
    if kept is None or len(text) <= _LONG:
        try:
            return _small_metadata(bytes(text))
        except msgspec.MsgspecError:
            if kept is None:
                raise
    return kept_of(msgspec.json.decode(text, type=kept | None))


def free_page(raw: RawVolume, kept: type[Struct]) -> None:
    """Keep no more of the page than is read: it is twice as large, or a hundred times."""
    text = memoryview(raw.metadata)
    if len(text) <= _LONG:
        raw.metadata = raw.metadata.copy()
        return
    with suppress(*ODD):  # `volume` says what is wrong with the row
        raw.metadata = msgspec.Raw(
            msgspec.json.encode(kept_of(msgspec.json.decode(text, type=kept | None)))
        )


def kept_of(metadata: Struct | None) -> Mapping[str, str]:
    """What was kept of metadata, by key."""
    if metadata is None:
        return {}
    return _shared(metadata.__struct_encode_fields__, structs.astuple(metadata))


@lru_cache(maxsize=1_000)
def _small_metadata(text: bytes) -> Mapping[str, str]:
    return _metadata_decoder.decode(text) or {}


@lru_cache(maxsize=10_000)
def _shared(keys: tuple[str, ...], values: tuple[str | None, ...]) -> Mapping[str, str]:
    return {key: text for key, text in zip(keys, values, strict=True) if text is not None}


def kept_metadata(keys: Iterable[str]) -> type[Struct]:
    """A type of metadata of which only these keys are kept: a row may have 128 long ones."""
    fields = [
        (f"key_{number}", str | None, field(name=key, default=None))
        for number, key in enumerate(sorted({key for key in keys if key}))
    ]
    return defstruct("KeptMetadata", fields)
