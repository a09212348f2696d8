"""Logging in, and Keystone's lists."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import requests
from keystoneauth1 import exceptions

if TYPE_CHECKING:
    from tests.conformance.conftest import Cloud

UNAUTHORIZED = "The request you have made requires authentication."


def test_a_real_cloud_keeps_the_same_promises() -> None:
    if not os.environ.get("STAFFELN_TEST_CLOUD"):
        pytest.skip("STAFFELN_TEST_CLOUD names no real cloud: only the simulated one was tested")


def fresh(cloud: Cloud, path: str = "") -> requests.Response:
    """Ask without a token."""
    return requests.get(cloud.auth_url + path, timeout=30)


def log_in(cloud: Cloud, identity: dict[str, Any]) -> requests.Response:
    body = {"auth": {"identity": identity}}
    return requests.post(f"{cloud.auth_url}/auth/tokens", json=body, timeout=30)


def test_keystone_describes_its_version_to_everybody(cloud: Cloud) -> None:
    version = fresh(cloud).json()["version"]
    assert version["id"].startswith("v3.")
    assert version["status"] == "stable"


@pytest.mark.parametrize("service", ["identity", "compute", "block-storage"])
def test_the_sdk_discovers_each_service(cloud: Cloud, service: str) -> None:
    endpoint = cloud.connection.session.get_endpoint_data(
        service_type=service, region_name=cloud.connection.config.region_name
    )
    assert endpoint is not None
    assert endpoint.url


def test_the_token_says_project_and_roles(cloud: Cloud) -> None:
    access = cloud.access()
    assert {"admin", "member", "reader"} <= set(access.role_names or ())
    assert access.project_id == cloud.project_id
    assert access.expires is not None


def test_a_wrong_password_is_401_and_nothing_more(cloud: Cloud) -> None:
    user = {"id": cloud.connection.current_user_id, "password": "wrong"}
    reply = log_in(cloud, {"methods": ["password"], "password": {"user": user}})
    assert reply.status_code == 401
    assert reply.json()["error"]["message"] == UNAUTHORIZED
    assert reply.headers["WWW-Authenticate"].startswith("Keystone uri=")


def test_an_unknown_project_is_401_as_well(cloud: Cloud) -> None:
    with pytest.raises(exceptions.Unauthorized):
        cloud.exchanged("0" * 32)


def test_a_token_buys_another_with_the_same_end(cloud: Cloud) -> None:
    old, new = cloud.access(), cloud.exchanged(cloud.project_id)
    assert new.auth_token != old.auth_token
    assert new.expires == old.expires


def test_an_unknown_token_is_404_when_exchanged(cloud: Cloud) -> None:
    reply = log_in(cloud, {"methods": ["token"], "token": {"id": "unknown"}})
    assert reply.status_code == 404
    assert reply.json()["error"]["message"] == "Could not recognize Fernet token"


@pytest.mark.parametrize("path", ["/projects", "/users", "/roles"])
def test_a_list_of_keystone_is_one_page_with_links(cloud: Cloud, path: str) -> None:
    body = cloud.identity_api(path).json()
    assert body["links"]["next"] is None
    assert body["links"]["self"].endswith(path)
    assert "truncated" not in body


def test_projects_have_names_and_say_whether_they_are_enabled(cloud: Cloud) -> None:
    projects = cloud.identity_api("/projects").json()["projects"]
    keys = {"id", "name", "domain_id", "enabled", "parent_id", "is_domain", "tags", "links"}
    assert projects
    assert all(keys <= project.keys() for project in projects)
    assert all(isinstance(project["enabled"], bool) for project in projects)


def test_a_limit_leads_from_page_to_page(cloud: Cloud) -> None:
    every = {p["id"] for p in cloud.identity_api("/projects").json()["projects"]}
    body = cloud.identity_api("/projects", params={"limit": "1"}).json()
    assert body["truncated"] is True
    found = [body["projects"][0]["id"]]
    while body["links"]["next"]:
        body = cloud.identity_api(body["links"]["next"]).json()
        found += [project["id"] for project in body["projects"]]
    assert sorted(found) == sorted(every)


def test_users_have_an_email_if_they_have_one(cloud: Cloud) -> None:
    users = cloud.identity_api("/users").json()["users"]
    assert all({"id", "name", "enabled", "domain_id"} <= user.keys() for user in users)
    assert all(isinstance(user.get("email"), str | None) for user in users)


def test_all_assignments_come_in_one_list(cloud: Cloud) -> None:
    rows = cloud.identity_api("/role_assignments").json()["role_assignments"]
    assert rows
    assert all({"role", "scope", "links"} <= row.keys() for row in rows)
    assert all("user" in row or "group" in row for row in rows)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/users/nobody", "Could not find user: nobody."),
        ("/groups/nobody/users", "Could not find group: nobody."),
        ("/projects?limit=1&marker=nothing", "Marker nothing could not be found."),
    ],
)
def test_keystone_says_what_it_could_not_find(cloud: Cloud, path: str, message: str) -> None:
    reply = cloud.identity_api(path)
    assert reply.status_code == 404
    assert reply.json()["error"]["message"] == message


def test_without_a_token_keystone_lists_nothing(cloud: Cloud) -> None:
    reply = fresh(cloud, "/projects")
    assert reply.status_code == 401
    assert reply.json()["error"] == {"code": 401, "message": UNAUTHORIZED, "title": "Unauthorized"}


def test_the_date_is_in_every_answer(cloud: Cloud) -> None:
    assert fresh(cloud).headers["Date"].endswith(" GMT")
    assert cloud.volume_api("GET", "/os-services").headers["Date"].endswith(" GMT")
    assert cloud.compute_api("/servers/detail").headers["Date"].endswith(" GMT")
