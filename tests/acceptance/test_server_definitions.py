"""collect keeps how protected servers were made, by the listing that it fetches anyway."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import a_volume, rounds, sent
from tests.build import MARKED
from tests.conftest import Staffeln, migrate, staffeln_on


def definitions(url: str) -> dict[str, dict[str, Any]]:
    """What is kept of servers, by name."""
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT server_name, definition FROM servers")).all()
    engine.dispose()
    return {name: json.loads(definition) for name, definition in rows}


def a_server(cloud: SimCloud, metadata: Mapping[str, str] = MARKED) -> str:
    """A server of which there is much to be told, with a root volume and another one."""
    root = a_volume(cloud, "root", metadata=metadata, bootable=True)
    server = cloud.world.server("root-server").id
    cloud.things.add_volume("data", project="shop", server=server)
    columns = {"flavor": "large", "user_data": "IyEvYmluL3NoCg==", "config_drive": True}
    cloud.things.set_server(
        server, **columns, tags=("db", "gold"), deletes_volumes=frozenset({root})
    )
    network = cloud.networks.add_network("inner", project="shop")
    cloud.networks.add_port(network, "10.0.0.9", "fa:16:3e:00:00:09", server=server)
    return server


def test_a_definition_has_what_the_listing_shows(
    cloud: SimCloud, staffeln_on_each: Staffeln, database_url: str
) -> None:
    server = a_server(cloud)
    staffeln_on_each("collect")
    kept = definitions(database_url)["root-server"]
    assert (kept["flavor"]["id"], kept["tags"], kept["zone"]) == ("large", ["db", "gold"], "nova")
    assert (kept["user_data"], kept["config_drive"]) == ("IyEvYmluL3NoCg==", "True")
    assert kept["metadata"] == MARKED
    assert [one["addr"] for one in kept["addresses"]["inner"]] == ["10.0.0.9"]
    in_order = [(one["id"], one["delete_on_termination"]) for one in kept["volumes"]]
    assert in_order == [(one, one == in_order[0][0]) for one in cloud.world.attached[server]]


def test_no_request_is_sent_for_them(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_server(cloud)
    staffeln("collect")
    listings = [one.path for one in sent(cloud, "GET", "/compute/")]
    assert set(listings) == {"/compute/v2.1/servers/detail"}
    assert len(listings) == 1


def test_only_protected_servers_are_kept(
    cloud: SimCloud, staffeln: Staffeln, sqlite_url: str
) -> None:
    a_volume(cloud, "marked")
    a_volume(cloud, "plain", metadata={})
    by_volume = a_volume(cloud, "own", metadata={})
    cloud.things.set_volume(by_volume, metadata=MARKED)
    rounds(staffeln, cloud, 2)
    assert set(definitions(sqlite_url)) == {"marked-server", "own-server"}


def test_a_change_is_kept_and_a_server_that_is_deleted_does_not_lose_its_addresses(
    cloud: SimCloud, staffeln: Staffeln, sqlite_url: str
) -> None:
    server = a_server(cloud)
    staffeln("collect")
    cloud.things.set_server(server, flavor="huge")
    staffeln("collect")
    assert definitions(sqlite_url)["root-server"]["flavor"]["id"] == "huge"
    cloud.world.networking.ports.clear()
    cloud.things.set_server(server, task_state="deleting")
    staffeln("collect")
    assert definitions(sqlite_url)["root-server"]["addresses"] != {}


def test_a_dry_run_keeps_none(cloud: SimCloud, staffeln: Staffeln, sqlite_url: str) -> None:
    a_server(cloud)
    staffeln("collect", "--dry-run")
    assert definitions(sqlite_url) == {}


def test_a_catalog_has_them_and_brings_them_back(
    cloud: SimCloud, staffeln: Staffeln, sqlite_url: str, tmp_path: Path
) -> None:
    a_server(cloud)
    rounds(staffeln, cloud, 1)
    file = str(tmp_path / "catalog.jsonl.gz")
    saved = staffeln("catalog", "save", file, "-f", "json")
    assert saved.counts["servers"] == 1
    other = f"sqlite:///{tmp_path / 'other.db'}"
    migrate(other)
    staffeln_on(other, cloud, tmp_path)("catalog", "import", file, "--state")
    assert definitions(other) == definitions(sqlite_url)
