"""The version documents, as keystoneauth and openstacksdk read them."""

from __future__ import annotations

from staffeln_cli.demo.simcloud.calls import Call, Reply

COMPUTE_RANGE = ((2, 1), (2, 104))
VOLUME_RANGE = ((3, 0), (3, 71))


def identity_versions(call: Call) -> Reply:
    body = {"versions": {"values": [_identity(call)]}}
    return Reply(300, body, {"Location": f"{call.identity_url}/"})


def identity_version(call: Call) -> Reply:
    return Reply(200, {"version": _identity(call)})


def compute_versions(call: Call) -> Reply:
    return Reply(200, {"versions": [_compute(call)]})


def compute_version(call: Call) -> Reply:
    media = "application/vnd.openstack.compute+json;version=2.1"
    version = _compute(call) | {"media-types": [{"base": "application/json", "type": media}]}
    return Reply(200, {"version": version})


def volume_versions(call: Call) -> Reply:
    return Reply(300, {"versions": [_volume(call)]})


def volume_version(call: Call) -> Reply:
    """Describe version 3; unlike the other services, Cinder wants a token for that."""
    call.token()
    return Reply(200, {"versions": [_volume(call)]})


def network_versions(call: Call) -> Reply:
    link = {"rel": "self", "href": f"{call.world.url}/network/v2.0/"}
    return Reply(200, {"versions": [{"id": "v2.0", "status": "CURRENT", "links": [link]}]})


def _identity(call: Call) -> dict[str, object]:
    media = "application/vnd.openstack.identity-v3+json"
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": f"{call.identity_url}/"}],
        "media-types": [{"base": "application/json", "type": media}],
    }


def _compute(call: Call) -> dict[str, object]:
    return {
        "id": "v2.1",
        "status": "CURRENT",
        "version": _written(COMPUTE_RANGE[1]),
        "min_version": _written(COMPUTE_RANGE[0]),
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": f"{call.world.url}/compute/v2.1/"}],
    }


def _volume(call: Call) -> dict[str, object]:
    media = "application/vnd.openstack.volume+json;version=3"
    return {
        "id": "v3.0",
        "status": "CURRENT",
        "version": _written(VOLUME_RANGE[1]),
        "min_version": _written(VOLUME_RANGE[0]),
        "updated": "2023-08-31T00:00:00Z",
        "links": [
            {"rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/"},
            {"rel": "self", "href": f"{call.world.url}/volume/v3/"},
        ],
        "media-types": [{"base": "application/json", "type": media}],
    }


def _written(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
