"""What the listings of Nova and Cinder look like, and how they go on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conformance.conftest import Cloud

MISSING = "00000000-0000-0000-0000-000000000000"
CINDER_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}")
VOLUME = {
    "id": str, "name": str | None, "status": str, "size": int, "metadata": dict,
    "attachments": list, "multiattach": bool, "availability_zone": str, "volume_type": str,
    "volume_type_id": str, "bootable": str, "encrypted": bool, "created_at": str,
    "updated_at": str | None, "os-vol-tenant-attr:tenant_id": str, "migration_status": str | None,
    "os-vol-host-attr:host": str | None, "consumes_quota": bool, "group_id": str | None,
    "snapshot_id": str | None, "source_volid": str | None, "provider_id": str | None,
    "cluster_name": str | None, "description": str | None, "user_id": str, "links": list,
    "replication_status": str | None, "consistencygroup_id": str | None, "shared_targets": bool,
    "service_uuid": str | None, "os-vol-mig-status-attr:migstat": str | None,
    "os-vol-mig-status-attr:name_id": str | None,
}  # fmt: skip
BACKUP = {
    "id": str, "name": str | None, "description": str | None, "status": str, "size": int,
    "volume_id": str, "snapshot_id": str | None, "is_incremental": bool,
    "has_dependent_backups": bool, "data_timestamp": str, "created_at": str,
    "updated_at": str | None, "fail_reason": str | None, "container": str | None,
    "object_count": int, "availability_zone": str | None, "metadata": dict, "links": list,
    "os-backup-project-attr:project_id": str, "user_id": str,
}  # fmt: skip
SERVER = {
    "id": str, "name": str, "metadata": dict, "tenant_id": str, "user_id": str, "status": str,
    "created": str, "updated": str, "os-extended-volumes:volumes_attached": list, "flavor": dict,
    "OS-EXT-STS:vm_state": str, "OS-EXT-STS:task_state": str | None, "links": list,
    "OS-EXT-AZ:availability_zone": str, "OS-EXT-SRV-ATTR:host": str | None,
}  # fmt: skip


def assert_shape(row: dict[str, Any], shape: dict[str, Any]) -> None:
    wrong = {key: row.get(key, "missing") for key, kind in shape.items()
             if key not in row or not isinstance(row[key], kind)}  # fmt: skip
    assert not wrong


def test_a_volume_has_these_columns_and_no_others(cloud: Cloud, volume: str) -> None:
    row = cloud.volume(volume)
    assert_shape(row, VOLUME)
    assert row.keys() == VOLUME.keys()
    assert CINDER_TIME.fullmatch(row["created_at"])


def test_a_backup_has_these_columns_and_no_parent(cloud: Cloud, chain: tuple[str, str]) -> None:
    row = cloud.backup(chain[1])
    assert_shape(row, BACKUP)
    assert row.keys() == BACKUP.keys()
    assert CINDER_TIME.fullmatch(row["created_at"])


def test_a_row_of_the_listing_is_the_row_alone(cloud: Cloud, chain: tuple[str, str]) -> None:
    rows = cloud.list_all("/backups/detail", "backups", all_tenants="1", name=cloud.tag)
    assert {row["id"]: row for row in rows}[chain[0]] == cloud.backup(chain[0])


@pytest.mark.parametrize(
    ("version", "absent"),
    [
        (None, {"metadata", "os-backup-project-attr:project_id", "user_id"}),
        ("3.42", {"metadata", "user_id"}),
        ("3.55", {"user_id"}),
    ],
)
def test_older_versions_say_less_about_a_backup(
    cloud: Cloud, chain: tuple[str, str], version: str | None, absent: set[str]
) -> None:
    reply = cloud.volume_api("GET", f"/backups/{chain[0]}", version)
    assert BACKUP.keys() - reply.json()["backup"].keys() == absent


def test_servers_show_metadata_and_volumes(cloud: Cloud) -> None:
    servers = cloud.compute_api("/servers/detail?all_tenants=1").json()["servers"]
    if not servers:
        pytest.skip("the cloud has no server")
    assert_shape(servers[0], SERVER)
    attached = [v for s in servers for v in s["os-extended-volumes:volumes_attached"]]
    assert all(v.keys() == {"id", "delete_on_termination"} for v in attached)


def test_cinder_says_which_server_has_a_volume(cloud: Cloud) -> None:
    rows = cloud.list_all("/volumes/detail", "volumes", all_tenants="1", status="in-use")
    keys = {"id", "attachment_id", "volume_id", "server_id", "host_name", "device", "attached_at"}
    attachments = [attachment for row in rows for attachment in row["attachments"]]
    assert all(attachment.keys() == keys for attachment in attachments)


def test_the_newest_comes_first(cloud: Cloud, chain: tuple[str, str]) -> None:
    rows = cloud.list_all("/backups/detail", "backups", all_tenants="1", name=cloud.tag)
    ages = [row["created_at"] for row in rows]
    assert ages == sorted(ages, reverse=True)
    rows = cloud.list_all("/volumes/detail", "volumes", all_tenants="1", sort="created_at:asc")
    ages = [row["created_at"] for row in rows]
    assert ages == sorted(ages)


def test_links_lead_through_all_pages_of_volumes(cloud: Cloud) -> None:
    every = cloud.list_all("/volumes/detail", "volumes", all_tenants="1")
    paged = cloud.list_all("/volumes/detail", "volumes", all_tenants="1", limit="2")
    assert [row["id"] for row in paged] == [row["id"] for row in every]


def test_a_full_page_has_a_link_even_if_it_is_the_last(
    cloud: Cloud, chain: tuple[str, str]
) -> None:
    query = {"volume_id": cloud.backup(chain[0])["volume_id"], "all_tenants": "1"}
    count = len(cloud.list_all("/backups/detail", "backups", **query))
    body = cloud.volume_api("GET", "/backups/detail", params={**query, "limit": str(count)}).json()
    (link,) = body["backups_links"]
    assert link["rel"] == "next"
    assert f"marker={body['backups'][-1]['id']}" in link["href"]
    assert f"limit={count}" in link["href"]
    assert "all_tenants=1" in link["href"]
    assert cloud.volume_api("GET", link["href"]).json() == {"backups": []}


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_servers_come_in_order_of_age_page_by_page(cloud: Cloud, direction: str) -> None:
    order = f"all_tenants=1&sort_key=created_at&sort_dir={direction}"
    every = cloud.compute_api(f"/servers/detail?{order}").json()["servers"]
    ages = [row["created"] for row in every]
    assert ages == sorted(ages, reverse=direction == "desc")
    paged: list[str] = []
    path: str | None = f"/servers/detail?{order}&limit=1"
    while path is not None:
        body = cloud.compute_api(path).json()
        paged += [row["id"] for row in body["servers"]]
        path = next((one["href"] for one in body.get("servers_links", [])), None)
        assert path is None or f"sort_dir={direction}" in path
    assert paged == [row["id"] for row in every]


def test_links_lead_through_all_pages_of_servers(cloud: Cloud) -> None:
    every = cloud.compute_api("/servers/detail?all_tenants=1").json()["servers"]
    found: list[dict[str, Any]] = []
    following: str | None = "/servers/detail?all_tenants=1&limit=1"
    while following:
        body = cloud.compute_api(following).json()
        found += body["servers"]
        following = body["servers_links"][0]["href"] if "servers_links" in body else None
    assert [row["id"] for row in found] == [row["id"] for row in every]


@pytest.mark.parametrize(("collection", "kind"), [("volumes", "Volume"), ("backups", "Backup")])
def test_a_marker_that_is_gone_is_404(cloud: Cloud, collection: str, kind: str) -> None:
    reply = cloud.volume_api("GET", f"/{collection}/detail?all_tenants=1&marker={MISSING}")
    assert reply.status_code == 404
    message = f"{kind} {MISSING} could not be found."
    assert reply.json() == {"itemNotFound": {"code": 404, "message": message}}


def test_an_unknown_marker_is_400_in_nova(cloud: Cloud) -> None:
    reply = cloud.compute_api(f"/servers/detail?all_tenants=1&marker={MISSING}")
    assert reply.status_code == 400
    assert reply.json()["badRequest"]["message"] == f"marker [{MISSING}] not found"


@pytest.mark.parametrize("collection", ["volumes", "backups"])
def test_a_filter_nobody_knows_means_nothing_is_found(cloud: Cloud, collection: str) -> None:
    reply = cloud.volume_api("GET", f"/{collection}/detail?all_tenants=1&colour=blue")
    assert reply.status_code == 200
    assert reply.json() == {collection: []}


def test_children_are_found_by_their_parent(cloud: Cloud, chain: tuple[str, str]) -> None:
    full, incremental = chain
    rows = cloud.list_all("/backups/detail", "backups", all_tenants="1", parent_id=full)
    assert [row["id"] for row in rows] == [incremental]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=-1", "limit param must be positive"),
        ("limit=x", "limit param must be an integer"),
        ("sort=colour:asc", "Invalid input received: Invalid sort key"),
        (
            "sort=created_at:up",
            "Invalid input received: Unknown sort direction, must be 'desc' or 'asc'.",
        ),
        ("all_tenants=perhaps", "Value 'perhaps' for 'all_tenants' is not a boolean."),
    ],
)
def test_nonsense_in_the_query_is_400(cloud: Cloud, query: str, message: str) -> None:
    reply = cloud.volume_api("GET", f"/volumes/detail?{query}")
    assert reply.status_code == 400
    assert reply.json() == {"badRequest": {"code": 400, "message": message}}


def test_limit_nought_is_an_empty_page(cloud: Cloud) -> None:
    assert cloud.volume_api("GET", "/volumes/detail?limit=0").json() == {"volumes": []}


def test_the_answer_names_its_version(cloud: Cloud) -> None:
    assert cloud.volume_api("GET", "/os-services", "3.60").headers["OpenStack-API-Version"] == (
        "volume 3.60"
    )
    assert cloud.volume_api("GET", "/os-services", None).headers["OpenStack-API-Version"] == (
        "volume 3.0"
    )
    assert cloud.compute_api("/servers/detail").headers["OpenStack-API-Version"] == "compute 2.3"


def test_a_version_beyond_the_last_is_406(cloud: Cloud) -> None:
    reply = cloud.volume_api("GET", "/volumes/detail", "3.999")
    assert reply.status_code == 406
    message: str = reply.json()["computeFault"]["message"]
    assert message.startswith("Version 3.999 is not supported by the API. Minimum is 3.0 and ")


def test_the_project_in_the_address_must_be_the_tokens(cloud: Cloud) -> None:
    endpoint = cloud.connection.block_storage.get_endpoint()
    assert endpoint
    url = endpoint.replace(cloud.project_id, "0" * 32) + "/volumes/detail"
    reply = cloud.volume_api("GET", url)
    assert reply.status_code == 400
    assert reply.json() == {"badRequest": {"code": 400, "message": "Malformed request url"}}


def test_an_address_that_is_none_is_a_page_of_html(cloud: Cloud) -> None:
    reply = cloud.volume_api("GET", "/nonsense")
    assert reply.status_code == 404
    assert "<title>404 Not Found</title>" in reply.text


def test_the_backup_service_is_listed(cloud: Cloud) -> None:
    rows = cloud.volume_api("GET", "/os-services?binary=cinder-backup").json()["services"]
    assert [row["state"] for row in rows] == ["up"]
    assert {"binary", "host", "zone", "status", "state", "updated_at"} <= rows[0].keys()
