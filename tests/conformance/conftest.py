"""Two clouds for one set of promises: the simulated one, and a real one if there is one to use.

STAFFELN_TEST_CLOUD names the clouds.yaml entry of a user with `admin` in its project. The tests
make volumes and backups in that project and remove them again. STAFFELN_TEST_VOLUME names an
unattached volume to use instead of new ones.
"""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import openstack
import pytest
import requests
from keystoneauth1.access import AccessInfoV3
from keystoneauth1.identity import v3
from keystoneauth1.identity.base import BaseIdentityPlugin

from staffeln_cli.demo import simcloud

VERSION = "3.65"
PATIENCE = 120.0
CLOUDS = ["simulated", "real"] if os.environ.get("STAFFELN_TEST_CLOUD") else ["simulated"]


@dataclass
class Cloud:
    """A raw client: real logins and real addresses, but no interpretation of the answers."""

    connection: openstack.connection.Connection
    simulated: simcloud.SimCloud | None
    made: list[str] = field(default_factory=list)
    tag: str = field(default_factory=lambda: f"conformance-{uuid.uuid4().hex[:8]}")

    @property
    def auth_url(self) -> str:
        url = self.connection.session.get_endpoint(service_type="identity", interface="public")
        assert url
        return url.rstrip("/")

    def access(self) -> AccessInfoV3:
        """What the token says."""
        auth = self.connection.session.auth
        assert isinstance(auth, BaseIdentityPlugin)
        access = auth.get_access(self.connection.session)
        assert isinstance(access, AccessInfoV3)
        return access

    def exchanged(self, project_id: str) -> AccessInfoV3:
        """Buy a token of a project with the one that is there."""
        token = self.access().auth_token
        assert token
        access = v3.Token(self.auth_url, token, project_id=project_id).get_access(
            self.connection.session
        )
        assert isinstance(access, AccessInfoV3)
        return access

    @property
    def project_id(self) -> str:
        return str(self.connection.current_project_id)

    def volume_api(
        self, method: str, path: str, version: str | None = VERSION, **more: Any
    ) -> requests.Response:
        """Ask Cinder; no error is raised, no answer is hidden."""
        proxy = self.connection.block_storage
        reply: requests.Response = proxy.request(
            path, method, microversion=version, raise_exc=False, **more
        )
        return reply

    def compute_api(self, path: str, version: str = "2.3", **more: Any) -> requests.Response:
        reply: requests.Response = self.connection.compute.request(
            path, "GET", microversion=version, raise_exc=False, **more
        )
        return reply

    def identity_api(self, path: str, **more: Any) -> requests.Response:
        reply: requests.Response = self.connection.identity.request(
            path, "GET", raise_exc=False, **more
        )
        return reply

    def list_all(self, path: str, collection: str, **params: str) -> list[dict[str, Any]]:
        """Follow the links of a listing to its end."""
        rows: list[dict[str, Any]] = []
        following: str | None = path
        query: dict[str, str] | None = params
        while following:
            body = self.volume_api("GET", following, params=query).json()
            rows += body[collection]
            links = body.get(f"{collection}_links", [])
            following = next((link["href"] for link in links if link["rel"] == "next"), None)
            query = None
        return rows

    def a_volume(self, name: str = "") -> str:
        """Make an empty volume that is ready to be backed up."""
        body = {"volume": {"size": 1, "name": f"{self.tag}{name}"}}
        reply = self.volume_api("POST", "/volumes", json=body)
        volume_id = str(reply.json()["volume"]["id"])
        self.made.append(volume_id)
        self.until(lambda: self.volume(volume_id)["status"] == "available")
        return volume_id

    def volume(self, volume_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.volume_api("GET", f"/volumes/{volume_id}").json()["volume"]
        return found

    def create(self, volume_id: str, **details: Any) -> requests.Response:
        body = {"backup": {"volume_id": volume_id, "name": self.tag} | details}
        return self.volume_api("POST", "/backups", json=body)

    def backup(self, backup_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.volume_api("GET", f"/backups/{backup_id}").json()["backup"]
        return found

    def a_backup(self, volume_id: str, **details: Any) -> str:
        """Make a backup and see it through."""
        reply = self.create(volume_id, **details)
        assert reply.status_code == 202, reply.text
        backup_id = str(reply.json()["backup"]["id"])
        self.until(lambda: self.backup(backup_id)["status"] != "creating")
        assert self.backup(backup_id)["status"] == "available"
        return backup_id

    def remove(self, backup_id: str) -> None:
        """Delete a backup and see it gone."""
        reply = self.volume_api("DELETE", f"/backups/{backup_id}")
        assert reply.status_code in (202, 404), reply.text
        path = f"/backups/{backup_id}"
        self.until(lambda: self.volume_api("GET", path).status_code == 404)

    def until(self, happened: Callable[[], bool]) -> None:
        """Wait for asynchronous work; the simulated cloud is told to get on with it."""
        deadline = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < deadline, "the cloud did not finish in time"
            if self.simulated:
                self.simulated.steering.finish_backups()
                self.simulated.steering.finish_restores()
            else:
                time.sleep(0.5)

    def clean(self) -> None:
        """Remove what the tests made, and nothing else; children go in an earlier round."""
        self.until(lambda: not [row for row in self.mine() if not self._asked_to_go(row)])
        for volume_id in self.made:
            self.volume_api("DELETE", f"/volumes/{volume_id}")
        self.made.clear()

    def mine(self) -> list[dict[str, Any]]:
        return self.list_all("/backups/detail", "backups", name=self.tag)

    def _asked_to_go(self, row: dict[str, Any]) -> bool:
        reply = self.volume_api("DELETE", f"/backups/{row['id']}")
        return reply.status_code == 404


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with simcloud.serving() as cloud:
        cloud.people.add_project("elsewhere")
        cloud.people.grant("backup", "elsewhere", "admin")
        server = cloud.things.add_server("a-server", metadata={"__staffeln_backup": "true"})
        for name in ("first", "second", "third"):
            cloud.things.add_volume(name, server=server)
        file = tmp_path_factory.mktemp("clouds") / "clouds.yaml"
        file.write_text(cloud.clouds_yaml())
        loader = openstack.config.OpenStackConfig(config_files=[str(file)], load_envvars=False)
        connection = openstack.connection.Connection(config=loader.get_one("sim"))
        yield Cloud(connection, cloud)
        connection.close()


@pytest.fixture(scope="session")
def real() -> Iterator[Cloud]:
    connection = openstack.connect(cloud=os.environ["STAFFELN_TEST_CLOUD"])
    yield Cloud(connection, None)
    connection.close()


@pytest.fixture(scope="session", params=CLOUDS)
def cloud(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    client: Cloud = request.getfixturevalue(request.param)
    yield client
    client.clean()


@pytest.fixture(scope="session")
def elsewhere(cloud: Cloud) -> Iterator[Cloud]:
    """The same user in another project of his."""
    projects = cloud.identity_api("/auth/projects").json()["projects"]
    others = [project["id"] for project in projects if project["id"] != cloud.project_id]
    if not others:
        pytest.skip("the user has a role in one project only")
    connection = cloud.connection.connect_as(project_id=others[0])
    client = Cloud(connection, cloud.simulated)
    yield client
    client.clean()
    connection.close()


@pytest.fixture(scope="session")
def volume(cloud: Cloud) -> str:
    """A volume without attachments."""
    named = None if cloud.simulated else os.environ.get("STAFFELN_TEST_VOLUME")
    return named or cloud.a_volume()


@pytest.fixture(scope="session")
def chain(cloud: Cloud, volume: str) -> tuple[str, str]:
    """A full backup of the volume, and an incremental on it."""
    return cloud.a_backup(volume, metadata={"kind": "full"}), cloud.a_backup(
        volume, incremental=True
    )
