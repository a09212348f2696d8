"""A database with a past, written through the store."""

from collections.abc import Callable, Iterator
from dataclasses import replace
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
    Kind,
    Origin,
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


class Past:
    """What earlier runs left behind."""

    def __init__(self, runtime: Runtime) -> None:
        self.store = runtime.store
        self.now = runtime.now()

    def ago(self, **units: float) -> datetime:
        return self.now - timedelta(**units)

    def projects(self, *names: str) -> None:
        self.store.inventory.save_projects(
            [Project(ProjectId(f"id-{name}"), name) for name in names], self.now
        )

    def volume(self, name: str, *, project: str = "alpha", **more: Any) -> InventoryVolume:
        """A protected volume, first seen ten days ago and backed up an hour ago."""
        values: dict[str, Any] = {
            "volume_id": VolumeId(f"id-{name}"),
            "volume_name": name,
            "project_id": ProjectId(f"id-{project}"),
            "server_id": ServerId("id-web"),
            "server_name": "web",
            "status": "in-use",
            "size_gib": 10,
            "volume_type": None,
            "availability_zone": "nova",
            "bootable": False,
            "encrypted": False,
            "protected": True,
            "skip_reason": None,
            "retention": None,
            "bad_retention": None,
            "first_seen_at": self.ago(days=10),
            "last_seen_at": self.now,
            "protected_since": self.ago(days=10),
            "last_started_at": self.ago(hours=1),
            "last_success_at": self.ago(hours=1),
        }
        volume = InventoryVolume(**{**values, **more})
        self.store.inventory.save([volume])
        return volume

    def backup(
        self, name: str, state: State = State.AVAILABLE, *, volume: str = "root", **more: Any
    ) -> BackupRecord:
        record = BackupRecord(
            id=RecordId(f"record-{name}"),
            name=name,
            volume_id=VolumeId(f"id-{volume}"),
            project_id=ProjectId("id-alpha"),
            kind=Kind.FULL,
            state=state,
            origin=Origin.SCHEDULED,
            planned_at=self.ago(hours=2),
            backup_id=BackupId(f"cinder-{name}"),
            volume_name=volume,
            size_gib=10,
        )
        record = replace(record, **more)
        self.store.backups.plan([record])
        return record

    def run(self, command: str, outcome: str = "ok", *, at: datetime | None = None) -> None:
        began = at or self.ago(minutes=5)
        run_id = RunId(f"{command}-{began:%d%H%M}")
        self.store.runs.begin(run_id, command, "host1", began)
        failures = (Failure("volume", "x", "why"),) if outcome == "partial" else ()
        done = Outcome(command, run_id, outcome, began, 1.0, 3, failures=failures)
        self.store.runs.end(done, began + timedelta(seconds=90))

    def belongs(self, name: str = "prod") -> None:
        self.store.cloud.belongs_to(CloudSeen("identity", "RegionOne", "http://keystone", name))


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
