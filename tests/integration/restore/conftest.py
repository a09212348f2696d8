"""Servers with backups, which are lost."""

from datetime import timedelta

import pytest

from staffeln_cli.commands import collect
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import BackupId, Kind, ProjectId, RecordId, State
from staffeln_cli.runtime import Run, Runtime
from tests.acceptance.lost_servers import lose
from tests.build import a_record
from tests.integration.conftest import Begin


@pytest.fixture
def runtime(cloud: SimCloud, begin: Begin) -> Runtime:
    """A runtime whose restores take a minute, in simulated time."""
    cloud.settings.restore_pace = timedelta(minutes=1)
    return begin().runtime


def backed_up(cloud: SimCloud, runtime: Runtime) -> None:
    """A collect sees what there is, and each protected volume has a backup."""
    assert collect.run(runtime).exit_code == 0
    run = Run(runtime, "test")
    for volume in run.store.inventory.all_volumes():
        if volume.protected and volume.last_success_at is None:
            backup = cloud.things.add_backup(volume.volume_id)
            record = a_record(
                volume.volume_id,
                id=RecordId(backup),
                project_id=ProjectId(volume.project_id),
                kind=Kind.FULL,
                state=State.AVAILABLE,
                backup_id=BackupId(backup),
                started_at=run.now(),
                finished_at=run.now(),
            )
            run.store.lifecycle.adopt(record)


def backed_up_and_lost(cloud: SimCloud, runtime: Runtime, *servers: str) -> None:
    """The same, and then these servers are gone with their volumes."""
    backed_up(cloud, runtime)
    for server in servers:
        lose(cloud, server)
    cloud.requests.clear()
