"""Export records: fetched of backups, and imported where Cinder has lost its row of one."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import msgspec
import requests

from staffeln_cli.cloud import decode
from staffeln_cli.cloud.api import Api
from staffeln_cli.cloud.pages import CINDER_BACKUPS
from staffeln_cli.cloud.retries import is_passing, message_of, says_absent
from staffeln_cli.errors import BackupGone, CloudUnavailable, NoAccess, Refused
from staffeln_cli.model import BackupId, ExportRecord, ProjectId

_EXISTS = "already exists"


class CatalogActions:
    """Requests that carry Cinder's rows of backups out of it and into it."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def export_record(self, backup_id: BackupId) -> ExportRecord:
        """Cinder's row of an available backup; asked for once, because a backup host answers it.

        Cinder also chooses a host for the backup anew and moves its `updated_at`. Raises
        BackupGone, NoAccess, Refused while the backup is not available, or CloudUnavailable.
        """
        path = f"/backups/{backup_id}/export_record"
        response = self._once("GET", path)
        if response.status_code != 200:
            raise _refusal(response, backup_id)
        with decode.understood(f"GET {path}"):
            raw = msgspec.json.decode(response.content, type=_Exported).record
            row = decoded_row(raw.backup_url)
            if row.get("id") != backup_id:
                raise ValueError(f"it is the record of {row.get('id')}")
            parent = row.get("parent_id")
            return ExportRecord(
                raw.backup_service, raw.backup_url, BackupId(str(parent)) if parent else None
            )

    def import_record(self, record: ExportRecord, project_id: ProjectId) -> bool:
        """Have Cinder know a backup again, in this project; False when it knows it already.

        With a token of the project, which must have the role of an admin there. Raises NoAccess,
        ProjectUnavailable, Refused, ResultUnknown or CloudUnavailable.
        """
        auth = self._api.token_of(project_id)
        inner = {"backup_service": record.backup_service, "backup_url": record.backup_url}
        body = {"backup-record": inner}
        response = self._once("POST", "/backups/import_record", json=body, auth=auth)
        if response.status_code in (200, 201, 202):
            return True
        if response.status_code == 400 and _EXISTS in message_of(response):
            return False
        raise _refusal(response, "")

    def roles_in(self, project_id: ProjectId) -> frozenset[str]:
        """The names of the login's roles in a project.

        Raises NoAccess, ProjectUnavailable or CloudUnavailable.
        """
        return self._api.roles_in(project_id)

    def disable_host(self, host: str) -> None:
        """Have Cinder give no work to a backup host. Raises Refused or CloudUnavailable."""
        self._switch("disable", {"binary": "cinder-backup", "host": host})

    def explain_disabled(self, host: str, reason: str) -> None:
        """The same, with a reason that people are shown. Raises Refused or CloudUnavailable.

        Cinder 29 does this, although it neither disables a host without a reason nor enables one
        (cinder:cinder/api/v3/services.py, enable and disable save the service unchanged).
        """
        self._switch(
            "disable-log-reason",
            {"binary": "cinder-backup", "host": host, "disabled_reason": reason},
        )

    def enable_host(self, host: str) -> None:
        """Have Cinder give work to a backup host again. Raises Refused or CloudUnavailable."""
        self._switch("enable", {"binary": "cinder-backup", "host": host})

    def _switch(self, action: str, body: Mapping[str, str]) -> None:
        response = self._once("PUT", f"/os-services/{action}", json=dict(body))
        if response.status_code != 200:
            raise _refusal(response, "")

    def _once(self, method: str, path: str, **options: Any) -> requests.Response:
        return self._api.once(
            "block_storage", method, path, microversion=CINDER_BACKUPS, **options
        )


def decoded_row(backup_url: str) -> dict[str, Any]:
    """Cinder's row of a backup, as its export record has it; ValueError where it is none."""
    try:
        row = msgspec.json.decode(base64.b64decode(backup_url, validate=True))
    except (binascii.Error, msgspec.MsgspecError) as error:
        raise ValueError(f"not an export record: {error}") from error
    if not isinstance(row, dict):
        raise ValueError("not an export record: no object")
    return row


def encoded_row(row: Mapping[str, Any]) -> str:
    """A row of Cinder's as an export record has it."""
    return base64.b64encode(msgspec.json.encode(row)).decode()


class _RawRecord(msgspec.Struct):
    backup_service: str
    backup_url: str


class _Exported(msgspec.Struct):
    record: _RawRecord = msgspec.field(name="backup-record")


def _refusal(response: requests.Response, backup_id: str) -> Exception:
    reason = message_of(response)
    status = response.status_code
    if is_passing(response) or status == 401 or status >= 500:
        return CloudUnavailable(f"HTTP {status}: {reason}")
    if status == 403:
        return NoAccess(f"HTTP {status}: {reason}")
    if backup_id and says_absent(response, backup_id):
        return BackupGone(reason)
    return Refused(f"HTTP {status}: {reason}")
