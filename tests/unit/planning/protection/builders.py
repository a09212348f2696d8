"""Volumes that selection judges, by the metadata of their servers."""

from staffeln_cli.model import (
    InventoryVolume,
    Project,
    ProjectId,
    Protection,
    Server,
    ServerId,
    Volume,
)
from staffeln_cli.model.durations import parse
from staffeln_cli.planning.protection.rules import Rules
from staffeln_cli.planning.protection.selection import protection
from staffeln_cli.planning.retention.policy import Policy

MARKED = {"backup": "true"}


def servers(**metadata: dict[str, str]) -> dict[ServerId, Server]:
    """Servers by id, each with its metadata; `s1` is called "name of s1"."""
    return {
        ServerId(one): Server(ServerId(one), f"name of {one}", ProjectId("p1"), tags)
        for one, tags in metadata.items()
    }


def projects(*, enabled: bool = True) -> dict[ProjectId, Project]:
    return {ProjectId("p1"): Project(ProjectId("p1"), "project one", enabled=enabled)}


def some_rules(*, key: str = "backup", policies: dict[str, Policy] | None = None) -> Rules:
    return Rules(
        metadata_key=key,
        skip_volume_key="skip",
        retention_key="retention",
        policies=policies or {},
        default=parse("17d"),
    )


def judged(
    volume: Volume,
    *,
    last: InventoryVolume | None = None,
    tags: dict[str, dict[str, str]] | None = None,
    **policies: Policy,
) -> Protection:
    known = servers(**({"s1": MARKED} if tags is None else tags))
    return protection(volume, known, projects(), some_rules(policies=policies), last)
