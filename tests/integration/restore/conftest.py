"""Servers with backups, which are lost."""

from datetime import timedelta
from typing import Any

import pytest

from staffeln_cli.commands import collect
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import BackupId, InventoryVolume, Kind, RecordId, State
from staffeln_cli.runtime import Runtime
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
    for volume in runtime.store.inventory.all_volumes():
        if volume.protected and volume.last_success_at is None:
            adopted(cloud, runtime, volume)


def adopted(cloud: SimCloud, runtime: Runtime, volume: InventoryVolume, **more: Any) -> None:
    """An available backup of a volume, with a record of ours."""
    backup = cloud.things.add_backup(volume.volume_id, **more)
    made = more.get("created_at") or cloud.now()
    record = a_record(
        volume.volume_id,
        id=RecordId(backup),
        project_id=volume.project_id,
        kind=Kind.INCREMENTAL if more.get("incremental") else Kind.FULL,
        state=State.AVAILABLE,
        backup_id=BackupId(backup),
        planned_at=made,
        started_at=made,
        finished_at=made,
    )
    runtime.store.lifecycle.adopt(record)


def backed_up_and_lost(cloud: SimCloud, runtime: Runtime, *servers: str) -> None:
    """The same, and then these servers are gone with their volumes."""
    backed_up(cloud, runtime)
    for server in servers:
        lose(cloud, server)
    cloud.requests.clear()
