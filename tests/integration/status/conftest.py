"""A database with a past, written through the store."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from staffeln_cli.config import load
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import (
    BackupId,
    BackupRecord,
    CloudSeen,
    Failure,
    InventoryVolume,
    Outcome,
    Project,
    ProjectId,
    RecordId,
    RunId,
    ServerId,
    State,
    VolumeId,
)
from staffeln_cli.runtime import Runtime
from tests.build import a_record, an_inventory_volume


class Past:
    """What earlier runs left behind."""

    def __init__(self, runtime: Runtime) -> None:
        self.store = runtime.store
        self.now = runtime.now()

    def ago(self, **units: float) -> datetime:
        return self.now - timedelta(**units)

    def projects(self, *names: str) -> None:
        self.store.projects.save([Project(ProjectId(f"id-{name}"), name) for name in names])

    def volume(self, name: str, *, project: str = "alpha", **more: Any) -> InventoryVolume:
        """A protected volume, first seen ten days ago and backed up an hour ago."""
        values: dict[str, Any] = {
            "volume_id": VolumeId(f"id-{name}"),
            "project_id": ProjectId(f"id-{project}"),
            "server_id": ServerId("id-web"),
            "availability_zone": "nova",
            "first_seen_at": self.ago(days=10),
            "last_seen_at": self.now,
            "protected_since": self.ago(days=10),
            "last_started_at": self.ago(hours=1),
            "last_success_at": self.ago(hours=1),
        }
        volume = an_inventory_volume(name, **(values | more))
        self.store.inventory.save([volume])
        return volume

    def backup(
        self, name: str, state: State = State.AVAILABLE, *, volume: str = "root", **more: Any
    ) -> BackupRecord:
        values: dict[str, Any] = {
            "id": RecordId(f"record-{name}"),
            "name": name,
            "project_id": ProjectId("id-alpha"),
            "state": state,
            "planned_at": self.ago(hours=2),
            "backup_id": BackupId(f"cinder-{name}"),
            "volume_name": volume,
            "size_gib": 10,
        }
        record = a_record(f"id-{volume}", **(values | more))
        self.store.lifecycle.plan([record])
        return record

    def run(self, command: str, outcome: str = "ok", *, at: datetime | None = None) -> None:
        began = at or self.ago(minutes=5)
        run_id = RunId(f"{command}-{began:%d%H%M}")
        self.store.runs.begin(run_id, command, "host1", began)
        failures = (Failure("volume", "x", "why"),) if outcome == "partial" else ()
        done = Outcome(command, run_id, outcome, began, 1.0, 3, failures=failures)
        self.store.runs.end(done, began + timedelta(seconds=90))

    def belongs(self, name: str = "prod") -> None:
        self.store.cloud.belongs_to(
            CloudSeen("identity", "RegionOne", "http://keystone", name, "http://cinder/v3")
        )


@pytest.fixture
def staffeln(staffeln_on_each: Any) -> Any:
    """Everything here holds on SQLite and on PostgreSQL."""
    return staffeln_on_each


@pytest.fixture
def past(staffeln: Any, cloud: SimCloud) -> Iterator[Past]:
    clock: Callable[[], datetime] = cloud.now
    runtime = Runtime(load(None, staffeln.environ).settings, clock=clock)
    yield Past(runtime)
    runtime.close()
