"""A small world in a line or two, and what became of it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import create_engine

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.tables import metadata
from tests.build import MARKED
from tests.conftest import Answer, Staffeln


def a_volume(
    cloud: SimCloud,
    name: str = "data",
    *,
    project: str = "shop",
    metadata: Mapping[str, str] = MARKED,
    **columns: Any,
) -> str:
    """A volume on a server of its own, `<name>-server`, in a project that is made if need be."""
    if project not in {one.name for one in cloud.world.identity.projects.values()}:
        cloud.people.add_project(project)
    server = cloud.things.add_server(f"{name}-server", project=project, metadata=metadata)
    return cloud.things.add_volume(name, project=project, server=server, **columns)


def some_volumes(cloud: SimCloud, number: int, *, project: str = "shop", **more: Any) -> list[str]:
    return [a_volume(cloud, f"{project}-{i}", project=project, **more) for i in range(number)]


def backed_up(staffeln: Staffeln, cloud: SimCloud) -> Answer:
    """A whole round: collect, backup, Cinder finishes, check."""
    staffeln.cycle("collect", "backup")
    cloud.steering.finish_backups()
    return staffeln("check", "-f", "json")


def rounds(staffeln: Staffeln, cloud: SimCloud, number: int, *, days: float = 1) -> None:
    """Several rounds; the time between them passes after each."""
    for _ in range(number):
        backed_up(staffeln, cloud)
        cloud.advance(days=days)


def twice(staffeln: Staffeln, cloud: SimCloud, command: str, *options: str) -> Answer:
    """A pass, and another one after the settle time: what both find absent is gone."""
    staffeln(command, *options)
    cloud.advance(minutes=11)
    return staffeln(command, "-f", "json", *options)


def records(staffeln: Staffeln, *options: str) -> list[dict[str, Any]]:
    """Staffeln's own view of the backups, oldest plan first."""
    rows: list[dict[str, Any]] = staffeln("status", "backups", "-f", "json", *options).json
    return sorted(rows, key=lambda row: row["planned_at"])


def ids(cloud: SimCloud) -> list[str]:
    """The ids of all backups that Cinder has, oldest first."""
    return [one["id"] for one in cloud.backups()]


def states(staffeln: Staffeln) -> list[str]:
    return [row["state"] for row in records(staffeln)]


def volumes(staffeln: Staffeln, *options: str) -> dict[str, dict[str, Any]]:
    """The inventory by volume id."""
    rows = staffeln("status", "volumes", "-f", "json", *options).json
    return {row["volume_id"]: row for row in rows}


def reasons(answer: Answer) -> list[str]:
    return [one["reason"] for one in answer.json["failures"]]


def everything(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, to see whether anything changed."""
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = {
            table.name: sorted(
                (tuple(row) for row in connection.execute(table.select())), key=repr
            )
            for table in metadata.sorted_tables
        }
    engine.dispose()
    return rows


def sent(cloud: SimCloud, method: str, path: str = "") -> list[Any]:
    """The requests of this method whose path has this in it."""
    return [one for one in list(cloud.requests) if one.method == method and path in one.path]


def changes(cloud: SimCloud) -> list[str]:
    """Every request that could have changed something; a token is no change."""
    return [
        f"{one.method} {one.path}"
        for one in list(cloud.requests)
        if one.method not in {"GET", "HEAD"} and not one.path.endswith("/auth/tokens")
    ]
