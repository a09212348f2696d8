"""The yardstick: a bare `requests` session that fetches and parses the same pages."""

import os
import sys
from pathlib import Path
from typing import Any

import requests
import yaml

BACKUPS = "backups/detail?all_tenants=1&sort=volume_id:asc,created_at:desc,id:desc"
"""In retention's order."""
PATIENCE = 600
"""Seconds for an answer: to sort a million backups takes the simulated cloud minutes, if busy."""


def main() -> None:
    entry = yaml.safe_load(Path(os.environ["OS_CLIENT_CONFIG_FILE"]).read_text())["clouds"]["sim"]
    auth = entry["auth"]
    session = requests.Session()
    user = {"name": auth["username"], "password": auth["password"], "domain": {"id": "default"}}
    project = {"name": auth["project_name"], "domain": {"id": "default"}}
    identity: Any = {"methods": ["password"], "password": {"user": user}}
    token = session.post(
        f"{auth['auth_url']}/auth/tokens",
        json={"auth": {"identity": identity, "scope": {"project": project}}},
        timeout=PATIENCE,
    )
    session.headers["X-Auth-Token"] = token.headers["X-Subject-Token"]
    catalog = {one["type"]: one["endpoints"] for one in token.json()["token"]["catalog"]}
    cinder = _public(catalog.get("block-storage") or catalog["volumev3"])
    nova = _public(catalog["compute"])
    if sys.argv[1:] == ["one page of backups"]:
        session.get(f"{cinder}/{BACKUPS}", timeout=PATIENCE).raise_for_status()
        return
    if sys.argv[1:] == ["backups"]:
        print(len(_pages(session, f"{cinder}/{BACKUPS}", "backups", "volume 3.64")))  # noqa: T201 - its answer
        return
    if sys.argv[1:] == ["create"]:
        _create_backups(session, auth["auth_url"], cinder)
        return
    rows = len(_pages(session, f"{auth['auth_url']}/projects", "projects", ""))
    rows += len(_pages(session, f"{nova}/servers/detail?all_tenants=1", "servers", "compute 2.26"))
    volumes = f"{cinder}/volumes/detail?all_tenants=1&consumes_quota=true"
    rows += len(_pages(session, volumes, "volumes", "volume 3.65"))
    rows += len(
        _pages(session, f"{cinder}/backups/detail?all_tenants=1", "backups", "volume 3.64")
    )
    print(rows)  # noqa: T201 - its answer


def _create_backups(session: requests.Session, auth_url: str, cinder: str) -> None:
    """A backup of each volume, one request after another; all are of one project."""
    volumes = _pages(session, f"{cinder}/volumes/detail?all_tenants=1", "volumes", "")
    project_id = volumes[0]["os-vol-tenant-attr:tenant_id"]
    identity = {"methods": ["token"], "token": {"id": session.headers["X-Auth-Token"]}}
    scope = {"project": {"id": project_id}}
    body: Any = {"auth": {"identity": identity, "scope": scope}}
    token = session.post(f"{auth_url}/auth/tokens", json=body, timeout=PATIENCE)
    session.headers["X-Auth-Token"] = token.headers["X-Subject-Token"]
    url = f"{cinder.rpartition('/')[0]}/{project_id}/backups"
    for volume in volumes:
        body = {"backup": {"volume_id": volume["id"], "name": volume["name"], "force": True}}
        session.post(url, json=body, timeout=PATIENCE).raise_for_status()


def _public(endpoints: list[dict[str, Any]]) -> str:
    return next(str(one["url"]) for one in endpoints if one["interface"] == "public")


def _pages(session: requests.Session, url: str, key: str, version: str) -> list[Any]:
    rows: list[Any] = []
    following: str | None = url
    while following:
        answer = session.get(
            following, headers={"OpenStack-API-Version": version}, timeout=PATIENCE
        )
        answer.raise_for_status()
        page = answer.json()
        rows += page[key]
        links = page.get(f"{key}_links", [])
        following = next((one["href"] for one in links if one["rel"] == "next"), None)
    return rows


if __name__ == "__main__":
    main()
