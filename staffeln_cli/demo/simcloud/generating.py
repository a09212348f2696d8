"""Clouds of any size, the same ones for the same numbers: what benchmarks run against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from staffeln_cli.demo.simcloud.cloud import SimCloud

UNLIMITED = -1
NIGHT = 8 * 3600
"""Seconds over which a cloud's backups of one day are spread."""


@dataclass(frozen=True)
class Size:
    """How large a cloud to make."""

    servers: int = 100
    volumes_per_server: int = 3
    projects: int = 10
    backups_per_volume: int = 0
    incrementals: int = 1_000_000
    """After each full; each volume's later fulls are of another day."""
    metadata_key: str = "__staffeln_backup"


def fill(cloud: SimCloud, size: Size) -> None:
    """Add projects, marked servers, their volumes, and chains of daily backups of each volume."""
    now = cloud.now().replace(microsecond=0)
    projects = [
        cloud.people.add_project(f"project-{number:05}") for number in range(size.projects)
    ]
    for project in projects:
        cloud.people.set_quota(project, backups=UNLIMITED, backup_gigabytes=UNLIMITED)
    for number in range(size.servers):
        name = f"server-{number:06}"
        made = now - timedelta(minutes=(number + 1) * size.volumes_per_server)
        server = cloud.things.add_server(
            name,
            project=projects[number % size.projects],
            metadata={size.metadata_key: "true"},
            created_at=made,
        )
        for place in range(size.volumes_per_server):
            later = made + timedelta(minutes=place + 1)
            _add_volume(cloud, size, server, name=f"{name}-{place}", created_at=later)


def _add_volume(
    cloud: SimCloud, size: Size, server: str, *, name: str, created_at: datetime
) -> None:
    turn = len(cloud.world.volumes)
    night = timedelta(seconds=turn * 7 % NIGHT)
    volume = cloud.things.add_volume(name, server=server, created_at=created_at)
    for place in range(size.backups_per_volume):
        days = timedelta(days=size.backups_per_volume - place)
        cloud.things.add_backup(
            volume,
            name=f"{name}-{place}",
            incremental=place > 0 and (place + turn) % (size.incrementals + 1) > 0,
            created_at=cloud.now() - days - night,
        )
