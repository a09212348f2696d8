"""Who plays in the demonstration: projects, servers and volumes of a small company's cloud."""

from staffeln_cli.commands.demo_stage import Stage

MARKED = {"__staffeln_backup": "true"}
FIVE_WEEKS = MARKED | {"__staffeln_retention": "5w"}
TYPO = MARKED | {"__staffeln_retention": "5weeks"}
SKIPPED = {"skip-volume-backup": "true"}


def enter(stage: Stage) -> None:
    """Fill the cloud."""
    cloud = stage.cloud
    for project in ("webshop", "payroll", "analytics", "research"):
        cloud.add_project(project)
        if project != "analytics":  # whose operator has left Cinder's default, 1000 GB
            cloud.set_quota(project, backups=10_000, backup_gigabytes=100_000)
    _server(stage, "webshop", "shop-web", MARKED, {"web-root": 20})
    _server(stage, "webshop", "shop-db", MARKED, {"db-root": 20, "orders": 100})
    _server(stage, "payroll", "books", FIVE_WEEKS, {"ledger": 50})
    _server(stage, "analytics", "warehouse", MARKED, {"cubes": 200})
    cloud.add_volume("scratch", server="warehouse", size_gib=500, metadata=SKIPPED)
    _server(stage, "research", "notebook", {}, {"papers": 10})


def _server(
    stage: Stage, project: str, name: str, metadata: dict[str, str], volumes: dict[str, int]
) -> None:
    stage.cloud.add_server(name, project=project, metadata=metadata)
    for volume, size in volumes.items():
        stage.ids[volume] = stage.cloud.add_volume(volume, server=name, size_gib=size)
