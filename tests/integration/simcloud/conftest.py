"""A simulated cloud, and the real SDK logged in to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openstack
import pytest
import requests

from staffeln_cli.demo import simcloud


@dataclass(frozen=True)
class Client:
    """A user of the cloud: answers come back as they are."""

    connection: openstack.connection.Connection

    def volume_api(
        self, method: str, path: str, version: str = "3.65", **more: Any
    ) -> requests.Response:
        reply: requests.Response = self.connection.block_storage.request(
            path, method, microversion=version, raise_exc=False, **more
        )
        return reply

    def compute_api(self, path: str, version: str = "2.3") -> requests.Response:
        reply: requests.Response = self.connection.compute.request(
            path, "GET", microversion=version, raise_exc=False
        )
        return reply

    def identity_api(self, path: str) -> requests.Response:
        reply: requests.Response = self.connection.identity.request(path, "GET", raise_exc=False)
        return reply

    def create(self, volume_id: str, **details: Any) -> requests.Response:
        body = {"backup": {"volume_id": volume_id, "force": True} | details}
        return self.volume_api("POST", "/backups", json=body)

    def backup(self, volume_id: str, **details: Any) -> str:
        reply = self.create(volume_id, **details)
        assert reply.status_code == 202, reply.text
        return str(reply.json()["backup"]["id"])

    def delete(self, backup_id: str) -> requests.Response:
        return self.volume_api("DELETE", f"/backups/{backup_id}")

    def list_all(self, path: str, collection: str) -> list[dict[str, Any]]:
        ask = self.compute_api if collection == "servers" else self._volumes
        rows: list[dict[str, Any]] = []
        following: str | None = path
        while following:
            body = ask(following).json()
            rows += body[collection]
            links = body.get(f"{collection}_links", [])
            following = links[0]["href"] if links else None
        return rows

    def _volumes(self, path: str) -> requests.Response:
        return self.volume_api("GET", path)


LogIn = Callable[..., Client]


@pytest.fixture(scope="session")
def server() -> Iterator[simcloud.SimCloud]:
    with simcloud.serving() as cloud:
        yield cloud


@pytest.fixture
def cloud(server: simcloud.SimCloud) -> simcloud.SimCloud:
    server.reset()
    return server


@pytest.fixture
def log_in(cloud: simcloud.SimCloud, tmp_path: Path) -> Iterator[LogIn]:
    """Log in as an entry of the cloud's clouds.yaml, in any of its projects."""
    connections = []

    def connect(name: str = "sim", project: str | None = None, **more: Any) -> Client:
        file = tmp_path / "clouds.yaml"
        file.write_text(cloud.clouds_yaml())
        loader = openstack.config.OpenStackConfig(config_files=[str(file)], load_envvars=False)
        if project:
            more |= {"project_id": project, "project_name": None}
        region = loader.get_one(name, **{"api_timeout": 5.0, **more})
        connections.append(openstack.connection.Connection(config=region))
        return Client(connections[-1])

    yield connect
    for connection in connections:
        connection.close()


@pytest.fixture
def sim(log_in: LogIn) -> Client:
    """The operator, in the operator's own project."""
    return log_in()
