"""Requests to Nova about the servers that boot restored volumes, in Staffeln's own project."""

import re
from datetime import datetime
from http import HTTPStatus

import msgspec

from staffeln_cli.cloud import decode
from staffeln_cli.cloud.api import Api
from staffeln_cli.cloud.retries import is_passing, message_of, says_absent
from staffeln_cli.cloud.rows import Rows, rows_of
from staffeln_cli.cloud.server_actions import RawFault, ask_for_server
from staffeln_cli.errors import CloudUnavailable, Refused
from staffeln_cli.model import Drill, ServerId, VolumeId
from staffeln_cli.model.drills import DRILL_KEY, SCRATCH, ScratchServer

_LOOK = "2.3"
_NO_NETWORKS = "2.37"
"""The first microversion that takes "none" for the networks."""


class ScratchServers:
    """Servers of the login's own project, by its token."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._flavors: dict[str, str] = {}

    def flavor_id(self, wanted: str) -> str:
        """The id of a flavor by id or name; Refused where there is none."""
        if not self._flavors:
            body = self._api.get("compute", "/flavors", microversion=_LOOK, is_public="None")
            rows = rows_of(body, "flavors", _RawFlavor, "GET /flavors")
            flavors = self._api.understood("flavor", rows)
            self._flavors = {row.name: row.id for row in flavors}
            self._flavors |= {row.id: row.id for row in flavors}
        if wanted not in self._flavors:
            raise Refused(f"Nova has no flavor {wanted!r} (verify.boot)")
        return self._flavors[wanted]

    def boot(self, drill: Drill, volume_id: VolumeId, flavor_id: str) -> ServerId:
        """Ask for a server that boots from a volume, once: no networks, no key, no files.

        Raises what `ask_for_server` raises.
        """
        device = {"boot_index": 0, "uuid": volume_id, "source_type": "volume"}
        device |= {"destination_type": "volume", "delete_on_termination": False}
        server = {
            "name": drill.scratch_name,
            "flavorRef": flavor_id,
            "networks": "none",
            "block_device_mapping_v2": [device],
            "metadata": {DRILL_KEY: drill.id},
        }
        return ask_for_server(self._api, server, microversion=_NO_NETWORKS)

    def look(self, server_id: ServerId) -> ScratchServer | None:
        """A server as it is now; None when Nova says that there is no such server."""
        path = f"/servers/{server_id}"
        body = self._api.find("compute", path, server_id, microversion=_LOOK)
        if body is None:
            return None
        with decode.understood(f"server {server_id}"):
            raw = msgspec.json.decode(body, type=_OneServer).server
            decode.check_same(server_id, raw.id)
            return raw.server()

    def named(self, name: str) -> list[ScratchServer]:
        """The servers of this exact name."""
        found = self._listed(f"^{re.escape(name)}$").all("server of a drill")
        return [row.server() for row in found if row.name == name]

    def all(self) -> list[ScratchServer]:
        """All servers that are called like one of a drill."""
        return [
            row.server() for row in self._api.understood("server", self._listed(f"^{SCRATCH}"))
        ]

    def console(self, server_id: ServerId, lines: int) -> str:
        """The last lines of its console; empty while Nova cannot tell them."""
        response = self._api.once(
            "compute",
            "POST",
            f"/servers/{server_id}/action",
            json={"os-getConsoleOutput": {"length": lines}},
            microversion=_LOOK,
        )
        if response.status_code != HTTPStatus.OK:
            return ""
        with decode.understood(f"console of server {server_id}"):
            body = decode.storable_json(response.content)
            return msgspec.json.decode(body, type=_Console).output or ""

    def delete(self, server_id: ServerId) -> None:
        """Ask Nova to delete a server, whatever its status; one that is gone is fine, too."""
        response = self._api.once("compute", "DELETE", f"/servers/{server_id}", microversion=_LOOK)
        if response.status_code in (200, 202, 204) or says_absent(response, server_id):
            return
        text = f"DELETE /servers/{server_id}: HTTP {response.status_code}: {message_of(response)}"
        raise CloudUnavailable(text) if is_passing(response) else Refused(text)

    def _listed(self, pattern: str) -> Rows["_RawServer"]:
        """Nova takes a name for a regular expression; there are never more than fit on a page."""
        body = self._api.get("compute", "/servers/detail", microversion=_LOOK, name=pattern)
        return rows_of(body, "servers", _RawServer, "GET /servers/detail")


class _RawFlavor(msgspec.Struct):
    id: decode.Id
    name: str


class _RawServer(msgspec.Struct):
    id: decode.Id
    name: str
    status: str
    created: datetime
    fault: RawFault | None = None

    def server(self) -> ScratchServer:
        """As the model has it."""
        fault = self.fault.message if self.fault else None
        return ScratchServer(ServerId(self.id), self.name, self.status, self.created, fault)


class _OneServer(msgspec.Struct):
    server: _RawServer


class _Console(msgspec.Struct):
    output: str | None = None
