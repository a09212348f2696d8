"""Which request goes where, after the checks that each service makes first."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from staffeln_cli.demo.simcloud import (
    backups,
    booting,
    consoles,
    discovery,
    keystone,
    neutron,
    nova,
    quotas,
    records,
    tokens,
    volumes,
)
from staffeln_cli.demo.simcloud.calls import Call, Reply
from staffeln_cli.demo.simcloud.discovery import COMPUTE_RANGE, VOLUME_RANGE
from staffeln_cli.demo.simcloud.errors import Refused, no_such_page, refused
from staffeln_cli.demo.simcloud.lifecycle import settle

Answer = Callable[[Call], Reply]

ROUTES: Mapping[str, tuple[tuple[str, str, Answer], ...]] = {
    "identity": (
        ("GET", "/?", discovery.identity_versions),
        ("GET", "/v3/?", discovery.identity_version),
        ("POST", "/v3/auth/tokens", tokens.issue),
        ("GET", "/v3/auth/projects", keystone.my_projects),
        ("GET", "/v3/projects", keystone.projects),
        ("GET", "/v3/projects/{id}", keystone.project),
        ("GET", "/v3/users", keystone.users),
        ("GET", "/v3/users/{id}", keystone.user),
        ("GET", "/v3/groups/{id}/users", keystone.group_users),
        ("GET", "/v3/roles", keystone.roles),
        ("GET", "/v3/role_assignments", keystone.role_assignments),
    ),
    "compute": (
        ("GET", "/?", discovery.compute_versions),
        ("GET", "/v2.1/?", discovery.compute_version),
        ("GET", "/v2.1/servers/detail", nova.detailed),
        ("POST", "/v2.1/servers", booting.created),
        ("GET", "/v2.1/servers/{id}", nova.shown),
        ("GET", "/v2.1/flavors", booting.flavors),
        ("DELETE", "/v2.1/servers/{id}", consoles.deleted),
        ("POST", "/v2.1/servers/{id}/action", consoles.acted),
        ("GET", "/v2.1/flavors/{id}", booting.flavor),
        ("GET", "/v2.1/os-availability-zone", booting.zones),
        ("GET", "/v2.1/os-keypairs", booting.keys),
        ("GET", "/v2.1/os-quota-sets/{id}/detail", booting.quotas),
    ),
    "network": (
        ("GET", "/?", discovery.network_versions),
        ("GET", "/v2.0/networks", neutron.networks),
        ("GET", "/v2.0/security-groups", neutron.security_groups),
        ("GET", "/v2.0/ports", neutron.ports),
        ("POST", "/v2.0/ports", neutron.port_created),
    ),
    "volume": (
        ("GET", "/?", discovery.volume_versions),
        ("GET", "/v3/?", discovery.volume_version),
        ("POST", "/v3{project}/volumes", volumes.created),
        ("GET", "/v3{project}/volumes", volumes.listed),
        ("GET", "/v3{project}/volumes/detail", volumes.detailed),
        ("GET", "/v3{project}/volumes/{id}", volumes.shown),
        ("DELETE", "/v3{project}/volumes/{id}", volumes.deleted),
        ("POST", "/v3{project}/volumes/{id}/action", volumes.acted),
        ("GET", "/v3{project}/types", quotas.volume_types),
        ("GET", "/v3{project}/types/{id}/encryption", quotas.type_encryption),
        ("POST", "/v3{project}/backups", backups.created),
        ("GET", "/v3{project}/backups/detail", backups.detailed),
        ("POST", "/v3{project}/backups/import_record", records.imported),
        ("GET", "/v3{project}/backups/{id}/export_record", records.exported),
        ("GET", "/v3{project}/backups/{id}", backups.shown),
        ("DELETE", "/v3{project}/backups/{id}", backups.deleted),
        ("POST", "/v3{project}/backups/{id}/action", backups.acted),
        ("POST", "/v3{project}/backups/{id}/restore", backups.restored),
        ("GET", "/v3{project}/os-quota-sets/{id}", quotas.quota_set),
        ("GET", "/v3{project}/os-services", quotas.services),
        ("PUT", "/v3{project}/os-services/enable", records.switched),
        ("PUT", "/v3{project}/os-services/disable", records.switched),
        ("PUT", "/v3{project}/os-services/disable-log-reason", records.switched),
    ),
}


@dataclass(frozen=True)
class Route:
    """A compiled line of the table."""

    service: str
    method: str
    pattern: re.Pattern[str]
    answer: Answer


def compiled() -> tuple[Route, ...]:
    return tuple(
        Route(service, method, re.compile(f"/{service}{_pattern(path)}"), answer)
        for service, lines in ROUTES.items()
        for method, path, answer in lines
    )


def _pattern(path: str) -> str:
    named = re.sub(r"{(id)}", r"(?P<\1>[^/]+)", path)
    return named.replace("{project}", r"(?:/(?P<project>[0-9a-f]{32}))?")


def answered(routes: tuple[Route, ...], call: Call) -> Reply:
    """Answer a request, whatever it is. Nothing else happens in the cloud meanwhile."""
    with call.world.lock:
        settle(call.world)
        service = call.request.path.split("/")[1]
        try:
            reply = _routed(routes, call)
        except Refused as refusal:
            reply = Reply(refusal.status, refusal.body, refusal.headers)
    headers = dict(reply.headers) | _version_headers(service, call)
    return Reply(reply.status, reply.body, headers)


def _routed(routes: tuple[Route, ...], call: Call) -> Reply:
    for route in routes:
        match = route.pattern.fullmatch(call.request.path)
        if match and route.method == call.request.method:
            call.names = match.groupdict()
            if not route.answer.__module__.endswith("discovery"):
                _check(route.service, call)
            return route.answer(call)
    if call.request.path.startswith("/volume"):
        call.token()
    raise no_such_page()


def _check(service: str, call: Call) -> None:
    """Check token, version and address in the order of the real services."""
    if service == "identity":
        return
    call.token()
    if service == "network":
        return
    if service == "compute":
        call.version = _version(call, service, *COMPUTE_RANGE)
        return
    call.version = _version(call, service, *VOLUME_RANGE)
    if call.names.get("project") not in (None, call.project_id()):
        raise refused(400, "Malformed request url")
    if call.request.method in ("POST", "PUT") and call.request.body is None:
        raise refused(400, "Malformed request body")


def _version(
    call: Call, service: str, least: tuple[int, int], most: tuple[int, int]
) -> tuple[int, int]:
    asked = call.headers.get("OpenStack-API-Version", "")
    if service == "compute" and not asked:
        asked = f"compute {call.headers.get('X-OpenStack-Nova-API-Version', '')}"
    texts = [part.split()[1] for part in asked.split(",") if part.split()[:1] == [service]
             and len(part.split()) > 1]  # fmt: skip
    if not texts:
        return least
    if texts[0] == "latest":
        return most
    if not re.fullmatch(r"[1-9]\d*\.\d+", texts[0]):
        text = f"API Version String {texts[0]} is of invalid format."
        raise refused(400, f"{text} Must be of format MajorNum.MinorNum.")
    major, minor = texts[0].split(".")
    call.version = (int(major), int(minor))
    if not least <= call.version <= most:
        raise refused(406, f"Version {texts[0]} is not supported by the API. "
                      f"Minimum is {_shown(least)} and maximum is {_shown(most)}.")  # fmt: skip
    return call.version


def _version_headers(service: str, call: Call) -> dict[str, str]:
    if call.version == (0, 0):
        return {}
    headers = {"OpenStack-API-Version": f"{service} {_shown(call.version)}",
               "Vary": "OpenStack-API-Version"}  # fmt: skip
    if service == "compute":
        headers["X-OpenStack-Nova-API-Version"] = _shown(call.version)
    return headers


def _shown(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
