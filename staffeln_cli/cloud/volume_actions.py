"""Requests to Cinder about single volumes: made of a backup, made bootable, deleted."""

from typing import Any

import requests

from staffeln_cli.cloud.api import Api
from staffeln_cli.cloud.backup_actions import create_refusal, made_id
from staffeln_cli.cloud.pages import CINDER_VOLUMES
from staffeln_cli.cloud.retries import is_passing, message_of, says_absent
from staffeln_cli.errors import CloudUnavailable, Refused, VolumeGone
from staffeln_cli.model import BackupId, NewVolume, ProjectId, VolumeId


class VolumeActions:
    """Requests about single volumes, each with a token of the volume's project."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def restore(self, backup_id: BackupId, project_id: ProjectId, volume: NewVolume) -> VolumeId:
        """Ask for a new volume made of a backup, once; the volume is made in this project.

        Raises NoAccess, ProjectUnavailable, QuotaExceeded, Throttled, BackupServiceDown or Refused
        when Cinder has certainly not acted; ResultUnknown when it may have; CloudUnavailable when
        no token could be had.
        """
        body = {
            "name": volume.name,
            "size": volume.size_gib,
            "backup_id": backup_id,
            "volume_type": volume.volume_type,
            "availability_zone": volume.availability_zone,
            "metadata": dict(volume.metadata),
        }
        response = self._post("/volumes", {"volume": body}, project_id)
        if response.status_code not in (200, 202):
            raise create_refusal(response, "Cinder")
        return VolumeId(made_id(response, "volume", volume.name))

    def set_bootable(
        self, volume_id: VolumeId, project_id: ProjectId, *, bootable: bool = True
    ) -> None:
        """Mark a volume as one that a server can boot from, or not; may be repeated.

        A restore loses the flag, unless Glance's metadata came with the source.
        Raises what `restore` raises.
        """
        action = {"os-set_bootable": {"bootable": bootable}}
        response = self._post(f"/volumes/{volume_id}/action", action, project_id)
        if response.status_code not in (200, 202, 204):
            raise create_refusal(response, "Cinder")

    def delete(self, volume_id: VolumeId, project_id: ProjectId) -> None:
        """Ask Cinder to delete; it does so later.

        Raises VolumeGone when it has no such volume; Refused, CloudUnavailable.
        """
        response = self._api.once(
            "block_storage",
            "DELETE",
            f"/volumes/{volume_id}",
            auth=self._api.token_of(project_id),
            microversion=CINDER_VOLUMES,
        )
        _check_deletion(response, volume_id)

    def force_delete(self, volume_id: VolumeId, project_id: ProjectId) -> None:
        """Delete whatever the status, as an admin; raises what `delete` raises."""
        response = self._post(f"/volumes/{volume_id}/action", {"os-force_delete": {}}, project_id)
        _check_deletion(response, volume_id)

    def _post(self, path: str, body: Any, project_id: ProjectId) -> requests.Response:
        auth = self._api.token_of(project_id)
        return self._api.once(
            "block_storage", "POST", path, json=body, auth=auth, microversion=CINDER_VOLUMES
        )


def _check_deletion(response: requests.Response, volume_id: VolumeId) -> None:
    if response.status_code in (200, 202, 204):
        return
    if says_absent(response, volume_id):
        raise VolumeGone(message_of(response))
    text = f"HTTP {response.status_code}: {message_of(response)}"
    if is_passing(response) or response.status_code == 401:
        raise CloudUnavailable(f"DELETE /volumes/{volume_id}: {text}")
    raise Refused(text)
