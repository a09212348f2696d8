"""A restore drill that is planned, and what became of it."""

from datetime import timedelta
from typing import Any

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import BackupId, Drill
from staffeln_cli.operations.drill import carry_on
from staffeln_cli.runtime import Run
from tests.build import a_drill, an_inventory_volume

HOURS = timedelta(hours=5)


def planned(run: Run, cloud: SimCloud, **more: Any) -> Drill:
    """A drill of a backup that Cinder has, claimed by the run."""
    bootable = bool(more.get("bootable"))
    volume = cloud.things.add_volume("orders", project="shop", bootable=bootable)
    backup = cloud.things.add_backup(volume)
    usual: dict[str, Any] = {"backup_id": BackupId(backup), "size_gib": 1, "planned_at": run.now()}
    drill = a_drill(volume, **usual | more)
    run.store.inventory.save([an_inventory_volume(volume, bootable=bootable)])
    assert run.store.drills.plan(drill, run.claim())
    return drill


def carried_on(run: Run, drill: Drill, wait: timedelta = HOURS) -> Drill:
    """The drill as it is in the end, or after so much waiting."""
    carry_on(run, now(run, drill), run.now() + wait)
    return now(run, drill)


def now(run: Run, drill: Drill) -> Drill:
    """The drill as the database has it."""
    found = run.store.drills.by_id(drill.id)
    assert found is not None
    return found


def step(run: Run, drill: Drill) -> Drill:
    """Do what can be done at once, without waiting."""
    carry_on(run, now(run, drill), None)
    return now(run, drill)


def left(cloud: SimCloud) -> list[str]:
    """The names of scratch volumes and servers."""
    things = [*cloud.volumes(), *cloud.servers()]
    return [one["name"] for one in things if one["name"].startswith("staffeln-drill-")]
