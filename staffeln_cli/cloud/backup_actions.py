"""Requests to Cinder about single backups, and its refusals in our words."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import requests

from staffeln_cli.cloud import decode
from staffeln_cli.cloud.api import Api
from staffeln_cli.cloud.pages import CINDER_BACKUPS
from staffeln_cli.cloud.retries import asks_to_wait, is_passing, message_of, says_absent
from staffeln_cli.cloud.rows import parts_of
from staffeln_cli.errors import (
    BackupGone,
    BackupServiceDown,
    CloudUnavailable,
    ForceUnsupported,
    HasDependents,
    NoAccess,
    NoParent,
    ProjectUnavailable,
    QuotaExceeded,
    Refused,
    ResultUnknown,
    Throttled,
    VolumeBusy,
    VolumeGone,
)
from staffeln_cli.model import Backup, BackupId, BackupRecord, Kind, ProjectId
from staffeln_cli.model.text import quoted

_SERVICE_DOWN = "Service cinder-backup could not be found"
# cinder:cinder/backup/api.py, cinder/exception.py; also section 10 of what was seen on 2026.2.
_CREATE_REFUSALS: tuple[tuple[str, type[Refused]], ...] = (
    (r"No backups available to do an incremental", NoParent),
    (r"must be available or in-use|current status is", VolumeBusy),
    (r"[Vv]olume .*could not be found", VolumeGone),
    (_SERVICE_DOWN, BackupServiceDown),
)
_DELETE_REFUSALS: tuple[tuple[str, type[Refused]], ...] = (
    (_SERVICE_DOWN, BackupServiceDown),
    (r"Incremental backups exist", HasDependents),
)


class BackupActions:
    """Requests about single backups, each with a token of the backup's own project."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def fetch_token(self, project_id: ProjectId) -> None:
        """Have the project's token at hand, so that the next request waits for nothing else.

        Raises NoAccess or ProjectUnavailable, or CloudUnavailable when none could be had.
        """
        self._api.token_of(project_id)

    def create(self, record: BackupRecord, *, metadata: Mapping[str, str]) -> BackupId:
        """Ask for a backup, once. With a token of the volume's project: so it is the tenant's.

        Raises NoAccess, ProjectUnavailable, NoParent, VolumeBusy, VolumeGone, QuotaExceeded,
        Throttled or Refused when Cinder has certainly not acted; ResultUnknown when it may have;
        CloudUnavailable when no token could be had.
        """
        auth = self._api.token_of(record.project_id)
        body = {
            "volume_id": record.volume_id,
            "name": record.name,
            "incremental": record.kind is Kind.INCREMENTAL,
            "force": True,  # Cinder backs up in-use volumes only with it
            "metadata": dict(metadata),
        }
        response = self._post("/backups", {"backup": body}, auth=auth)
        if response.status_code in (200, 202):
            return BackupId(made_id(response, "backup", record.name))
        raise create_refusal(response, "Cinder")

    def look(self, backup_id: BackupId) -> Backup | None:
        """The backup as it is now; None when Cinder itself says that it has no such backup."""
        path = f"/backups/{backup_id}"
        body = self._api.find("block_storage", path, backup_id, microversion=CINDER_BACKUPS)
        if body is None:
            return None
        with decode.understood(f"backup {backup_id}"):
            raw = msgspec.json.decode(body, type=_OneBackup).backup
            decode.check_same(backup_id, raw.id)
            return decode.backup(raw)

    def delete(self, backup_id: BackupId, project_id: ProjectId) -> None:
        """Ask Cinder to delete; it does so later. With a token of the backup's own project only:
        with another's, Cinder overlooks the incrementals on it and destroys the chain.

        Raises BackupGone, HasDependents, BackupServiceDown, NoAccess, Refused or CloudUnavailable.
        """
        auth = self._api.token_of(project_id)
        response = self._once("DELETE", f"/backups/{backup_id}", auth=auth)
        if response.status_code not in (200, 202, 204):
            raise _delete_refusal(response, backup_id)

    def force_delete(self, backup_id: BackupId) -> None:
        """Delete whatever the status, as admin; the caller has seen that nothing depends on it.

        Raises ForceUnsupported where the driver cannot (Ceph), and what `delete` raises.
        """
        response = self._post(f"/backups/{backup_id}/action", {"os-force_delete": {}})
        if response.status_code == 405:
            raise ForceUnsupported(f"backup {backup_id}: {message_of(response)}")
        if response.status_code not in (200, 202, 204):
            raise _delete_refusal(response, backup_id)

    def reset_to_error(self, backup_id: BackupId) -> None:
        """Set the status to `error`, as admin, so that the backup can be deleted."""
        response = self._post(
            f"/backups/{backup_id}/action", {"os-reset_status": {"status": "error"}}
        )
        if response.status_code not in (200, 202, 204):
            raise _delete_refusal(response, backup_id)

    def _post(self, path: str, body: object, **options: Any) -> requests.Response:
        return self._once("POST", path, json=body, **options)

    def _once(self, method: str, path: str, **options: Any) -> requests.Response:
        return self._api.once(
            "block_storage", method, path, microversion=CINDER_BACKUPS, **options
        )


class _OneBackup(msgspec.Struct):
    backup: decode.RawBackup


class _Made(msgspec.Struct):
    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z-]{1,255}$")]
    name: str | msgspec.UnsetType | None = msgspec.UNSET


def made_id(response: requests.Response, kind: str, name: str) -> str:
    """The id of what was made; ResultUnknown where the answer has none, or is about another."""
    what = f"POST {response.request.path_url}: accepted, but the answer"
    try:
        body = decode.storable_json(response.content)
        made = msgspec.json.decode(parts_of(body)[kind], type=_Made)
    except decode.ODD as error:
        raise ResultUnknown(f"{what} has no id") from error
    if made.name not in (msgspec.UNSET, name):
        raise ResultUnknown(f"{what} is about {quoted(str(made.name))}")
    return made.id


def create_refusal(response: requests.Response, service: str) -> Exception:
    """What a service's answer to a request to make something means, other than an acceptance."""
    reason = message_of(response)
    status = response.status_code
    if status >= 500:
        return ResultUnknown(f"POST {response.request.path_url}: HTTP {status}: {reason}")
    if status == 429 or (status == 413 and asks_to_wait(response)):
        return Throttled(f"{service} asks to slow down: {reason}")
    if status == 413:
        return QuotaExceeded(reason)
    if status == 401:  # with a token of this project that Keystone gave a moment ago
        return ProjectUnavailable(f"POST {response.request.path_url}: HTTP {status}: {reason}")
    if status == 403:
        return NoAccess(f"HTTP {status}: {reason}")
    return _matched(reason, _CREATE_REFUSALS) or Refused(f"HTTP {status}: {reason}")


def _delete_refusal(response: requests.Response, backup_id: BackupId) -> Exception:
    reason = message_of(response)
    status = response.status_code
    if is_passing(response) or status == 401:
        return CloudUnavailable(f"HTTP {status}: {reason}")
    if status == 403:
        return NoAccess(f"HTTP {status}: {reason}")
    if says_absent(response, backup_id):
        return BackupGone(reason)
    return _matched(reason, _DELETE_REFUSALS) or Refused(f"HTTP {status}: {reason}")


def _matched(reason: str, refusals: tuple[tuple[str, type[Refused]], ...]) -> Refused | None:
    for pattern, refusal in refusals:
        if re.search(pattern, reason):
            return refusal(reason)
    return None
