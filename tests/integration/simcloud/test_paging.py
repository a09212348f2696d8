"""Listings go on where they stopped, at any size and in any order."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from staffeln_cli.demo.simcloud import SimCloud
    from tests.integration.simcloud.conftest import Client, LogIn


def volumes(cloud: SimCloud, count: int) -> list[str]:
    """Add volumes, each a minute older than the one before."""
    now = cloud.now()
    return [
        cloud.things.add_volume(f"v{number:05}", created_at=now - timedelta(minutes=number))
        for number in range(count)
    ]


def test_a_page_has_a_thousand_rows_unless_told_otherwise(cloud: SimCloud, sim: Client) -> None:
    made = volumes(cloud, 2500)
    before = len(cloud.requests)
    rows = sim.list_all("/volumes/detail?all_tenants=1", "volumes")
    assert [row["id"] for row in rows] == made
    assert len([r for r in cloud.requests[before:] if "detail" in r.path]) == 3


def test_a_client_cannot_ask_for_larger_pages(cloud: SimCloud, sim: Client) -> None:
    volumes(cloud, 5)
    cloud.settings.max_limit = 2
    assert len(sim.volume_api("GET", "/volumes/detail?limit=4").json()["volumes"]) == 2


def test_an_exact_multiple_costs_an_empty_page(cloud: SimCloud, sim: Client) -> None:
    volumes(cloud, 4)
    cloud.settings.max_limit = 2
    sim.list_all("/volumes/detail?all_tenants=1", "volumes")
    assert len([request for request in cloud.requests if "marker" in request.query]) == 2


@pytest.mark.parametrize(
    "sort",
    [
        "name:asc",
        "size:desc,name:asc",
        "created_at:asc",
        "created_at:asc,id:asc",
        "id:desc",
        "volume_type:asc,created_at:desc,id:desc",
    ],
)
def test_pages_follow_any_order(cloud: SimCloud, sim: Client, sort: str) -> None:
    for number, volume in enumerate(volumes(cloud, 20)):
        cloud.things.set_volume(volume, size_gib=number % 3 + 1)
    whole = sim.list_all(f"/volumes/detail?all_tenants=1&sort={sort}", "volumes")
    paged = sim.list_all(f"/volumes/detail?all_tenants=1&sort={sort}&limit=3", "volumes")
    assert paged == whole
    assert len(whole) == 20


def test_rows_that_come_and_go_between_pages_disturb_no_others(
    cloud: SimCloud, sim: Client
) -> None:
    made = volumes(cloud, 6)
    first = sim.volume_api("GET", "/volumes/detail?all_tenants=1&limit=2").json()
    cloud.things.remove_volume(made[0])
    cloud.things.remove_volume(made[2])
    cloud.things.add_volume("new")
    rest = sim.list_all(first["volumes_links"][0]["href"], "volumes")
    assert [row["id"] for row in rest] == made[3:]


@pytest.mark.parametrize("kind", ["Volume", "Backup"])
def test_a_marker_removed_between_pages_is_404(cloud: SimCloud, sim: Client, kind: str) -> None:
    made = volumes(cloud, 3)
    collection = f"{kind.lower()}s"
    if kind == "Backup":
        made = [cloud.things.add_backup(volume) for volume in made]
    first = sim.volume_api("GET", f"/{collection}/detail?all_tenants=1&limit=1").json()
    marker = first[collection][0]["id"]
    (cloud.things.remove_backup if kind == "Backup" else cloud.things.remove_volume)(marker)
    reply = sim.volume_api("GET", first[f"{collection}_links"][0]["href"])
    assert reply.status_code == 404
    assert reply.json()["itemNotFound"]["message"] == f"{kind} {marker} could not be found."


def test_a_marker_that_no_longer_fits_the_filter_still_leads_on(
    cloud: SimCloud, sim: Client
) -> None:
    made = volumes(cloud, 4)
    query = "/volumes/detail?all_tenants=1&status=available&sort=name:asc&limit=2"
    first = sim.volume_api("GET", query).json()
    cloud.things.set_volume(first["volumes"][-1]["id"], status="error")
    rest = sim.list_all(first["volumes_links"][0]["href"], "volumes")
    assert [row["id"] for row in rest] == made[2:]


def test_nova_knows_a_marker_that_is_gone(cloud: SimCloud, sim: Client) -> None:
    for number in range(4):
        cloud.things.add_server(f"s{number}")
    first = sim.compute_api("/servers/detail?all_tenants=1&limit=2").json()
    cloud.things.remove_server(first["servers"][-1]["id"])
    rest = sim.list_all(first["servers_links"][0]["href"], "servers")
    assert len(rest) == 2


def test_a_server_in_a_cell_that_is_down_is_left_out(cloud: SimCloud, sim: Client) -> None:
    server = cloud.things.add_server("hidden")
    volume = cloud.things.add_volume("v", server=server)
    cloud.things.hide_server(server)
    assert sim.compute_api("/servers/detail?all_tenants=1").json() == {"servers": []}
    row = sim.volume_api("GET", f"/volumes/{volume}").json()["volume"]
    assert row["attachments"][0]["server_id"] == server


def test_keystone_pages_if_the_operator_said_so(cloud: SimCloud, sim: Client) -> None:
    for number in range(4):
        cloud.people.add_project(f"p{number}")
    cloud.settings.keystone_limit = 2
    found, following = [], "/projects"
    while following:
        body = sim.identity_api(following).json()
        found += [project["name"] for project in body["projects"]]
        following = body["links"]["next"]
    assert sorted(found) == ["backup", "p0", "p1", "p2", "p3"]


def test_an_old_keystone_cuts_its_list_off(cloud: SimCloud, sim: Client) -> None:
    for number in range(4):
        cloud.people.add_project(f"p{number}")
    cloud.settings.keystone_limit, cloud.settings.keystone_pages = 2, False
    body = sim.identity_api("/projects").json()
    assert (len(body["projects"]), body["truncated"]) == (2, True)
    assert body["links"]["next"] is None


def test_filters_and_projects_narrow_a_list(cloud: SimCloud, log_in: LogIn) -> None:
    project = cloud.people.add_project("alpha")
    mine = cloud.things.add_volume("mine", project="alpha", bootable=True)
    other = cloud.things.add_volume("other", consumes_quota=False, migration_status="target:x")
    sim = log_in()

    def found(query: str) -> list[str]:
        rows = sim.list_all(f"/volumes/detail?all_tenants=1&{query}", "volumes")
        return [row["id"] for row in rows]

    assert found(f"project_id={project}") == [mine]
    assert found("consumes_quota=false") == [other]
    assert found("bootable=true&name=mine") == [mine]
    assert found(f"id={other}") == [other]
    assert sim.list_all(f"/volumes/detail?project_id={project}", "volumes") == []
