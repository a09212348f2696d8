"""A client of the policy endpoint that asks like Cinder's policy engine."""

import http.client
import json
import socket
from dataclasses import dataclass
from urllib.parse import urlencode

from staffeln_cli.config.settings import PolicySettings

_TIMEOUT = 2.0
"""Seconds: as long as `remote_timeout` should be in cinder.conf."""
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not to listen on


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The endpoint in the settings; OSError if it cannot be reached."""

    settings: PolicySettings

    def __str__(self) -> str:
        """Its URL."""
        if self.settings.unix_socket is not None:
            return f"unix:{self.settings.unix_socket}"
        host, port = self._address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def health(self) -> int:
        """The status of `/v1/health`."""
        return self._answer("GET", "/v1/health")[0]

    def ask(self, backup_id: str, user_id: str | None = None) -> str:
        """Its answer about the deletion of a backup by a user."""
        form = {
            "rule": json.dumps("backup:delete"),
            "target": json.dumps({"id": backup_id}),
            "credentials": json.dumps({"user_id": user_id}),
        }
        return self._answer("POST", f"/v1/backup?backup_id={backup_id}", urlencode(form))[1]

    @property
    def _address(self) -> tuple[str, int]:
        return _ANYWHERE.get(self.settings.host, self.settings.host), self.settings.port

    def _answer(self, method: str, path: str, form: str | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("localhost", timeout=_TIMEOUT)
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        try:
            connection.sock = self._connected()
            connection.request(method, path, form, headers)
            reply = connection.getresponse()
            return reply.status, reply.read(1000).decode("utf-8", "replace")
        except http.client.HTTPException as error:
            raise OSError(f"does not speak HTTP: {error!r}") from error
        finally:
            connection.close()

    def _connected(self) -> socket.socket:
        if self.settings.unix_socket is None:
            return socket.create_connection(self._address, timeout=_TIMEOUT)
        found = socket.socket(socket.AF_UNIX)
        found.settimeout(_TIMEOUT)
        try:
            found.connect(str(self.settings.unix_socket))
        except OSError:
            found.close()
            raise
        return found
