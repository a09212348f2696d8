"""One request for a server or a port: answers without an id, refused tokens, lost replies."""

from collections.abc import Iterator
from typing import Any

import pytest

from staffeln_cli.cloud import Cloud, PortToMake
from staffeln_cli.config import load
from staffeln_cli.demo.simcloud import Request, SimCloud
from staffeln_cli.errors import ProjectUnavailable, ResultUnknown, Throttled
from staffeln_cli.model import VolumeId
from tests.acceptance.builders import sent
from tests.build import a_drill
from tests.conftest import Staffeln

SERVERS = "/servers$"
DRILL = a_drill(bootable=True)


@pytest.fixture
def client(cloud: SimCloud, staffeln: Staffeln) -> Iterator[Cloud]:
    client = Cloud(load(None, staffeln.environ).settings.cloud, now=cloud.now)
    yield client
    client.close()


@pytest.fixture
def volume(cloud: SimCloud) -> VolumeId:
    return VolumeId(cloud.things.add_volume("scratch", project="backup", bootable=True))


def boot(client: Cloud, volume: VolumeId) -> str:
    flavor_id = client.scratch_servers.flavor_id("tiny")
    return client.scratch_servers.boot(DRILL, volume, flavor_id)


def made(cloud: SimCloud) -> list[str]:
    return [one["id"] for one in cloud.servers()]


def found(client: Cloud) -> list[str]:
    return [one.id for one in client.scratch_servers.named(DRILL.scratch_name)]


def without(answer: Any, kind: str = "server") -> Any:
    """An edit: the server is made, and this is said of it."""

    def edit(_: Request, body: Any) -> Any:
        body[kind] = answer
        return body

    return edit


@pytest.mark.parametrize("answer", [{}, {"id": None}, {"id": 7}, [], "x", None])
def test_a_server_whose_id_nobody_hears_is_in_doubt_and_found_by_its_name(
    cloud: SimCloud, client: Cloud, volume: VolumeId, answer: Any
) -> None:
    cloud.faults.edit_next(SERVERS, without(answer), method="POST")
    with pytest.raises(ResultUnknown, match="has no id"):
        boot(client, volume)
    assert len(made(cloud)) == 1
    assert found(client) == made(cloud)


@pytest.mark.parametrize("body", ["", "<html>Welcome</html>", "[]", "null"])
def test_an_acceptance_that_is_no_answer_of_novas_leaves_doubt(
    cloud: SimCloud, client: Cloud, volume: VolumeId, body: str
) -> None:
    cloud.faults.fail_next("POST", SERVERS, status=202, body=body)
    with pytest.raises(ResultUnknown, match="has no id"):
        boot(client, volume)
    assert found(client) == made(cloud) == []


@pytest.mark.parametrize("acting", [False, True])
def test_a_lost_reply_leaves_doubt_and_the_request_is_not_repeated(
    cloud: SimCloud, client: Cloud, volume: VolumeId, *, acting: bool
) -> None:
    cloud.faults.lose_reply_next("POST", SERVERS, acting=acting)
    with pytest.raises(ResultUnknown, match="no answer"):
        boot(client, volume)
    assert len(sent(cloud, "POST", "/servers")) == 1
    assert len(found(client)) == int(acting)


def test_a_token_that_has_ended_is_renewed_and_one_server_made(
    cloud: SimCloud, client: Cloud, volume: VolumeId
) -> None:
    flavor_id = client.scratch_servers.flavor_id("tiny")
    cloud.steering.expire_tokens()
    server_id = client.scratch_servers.boot(DRILL, volume, flavor_id)
    assert made(cloud) == [server_id]
    assert len(sent(cloud, "POST", "/servers")) == 2


def test_a_token_that_nova_never_takes_makes_no_server(
    cloud: SimCloud, client: Cloud, volume: VolumeId
) -> None:
    cloud.faults.fail_next("POST", SERVERS, status=401, times=99)
    with pytest.raises(ProjectUnavailable, match="HTTP 401"):
        boot(client, volume)
    assert made(cloud) == []


@pytest.mark.parametrize("status", [429, 413])
def test_nova_is_named_where_nova_asks_to_slow_down(
    cloud: SimCloud, client: Cloud, volume: VolumeId, status: int
) -> None:
    cloud.faults.fail_next("POST", SERVERS, status=status, headers={"Retry-After": "3"})
    with pytest.raises(Throttled, match="Nova asks to slow down"):
        boot(client, volume)


def a_port(cloud: SimCloud) -> PortToMake:
    network_id = cloud.networks.add_network("net", project="backup")
    return PortToMake("eth0", network_id, (), "", ())


@pytest.mark.parametrize("answer", [{}, {"id": None}, {"id": "x", "name": "eth1"}, [], "x"])
def test_a_port_whose_id_nobody_hears_is_in_doubt_and_found_by_its_name(
    cloud: SimCloud, client: Cloud, answer: Any
) -> None:
    project_id, port = client.login().project_id, a_port(cloud)
    cloud.faults.edit_next("/ports$", without(answer, "port"), method="POST")
    with pytest.raises(ResultUnknown, match="but the answer"):
        client.networks.create_port(project_id, port)
    assert len(client.networks.ports_named(project_id, "eth0")) == 1


def test_neutron_is_named_where_neutron_asks_to_slow_down(cloud: SimCloud, client: Cloud) -> None:
    cloud.faults.fail_next("POST", "/ports$", status=429)
    with pytest.raises(Throttled, match="Neutron asks to slow down"):
        client.networks.create_port(client.login().project_id, a_port(cloud))
