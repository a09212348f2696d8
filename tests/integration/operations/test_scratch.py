"""Scratch volumes and servers that are left over: which are removed, which are left alone."""

from datetime import timedelta

import pytest

from staffeln_cli.commands import collect
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.operations import scratch
from staffeln_cli.runtime import Run
from tests.integration.conftest import Begin
from tests.integration.operations.drills import carried_on, planned

pytestmark = pytest.mark.usefixtures("restores_take_no_time")


def test_what_is_left_of_our_drills_that_have_ended_is_removed_and_nothing_else(
    cloud: SimCloud, run: Run
) -> None:
    ended = carried_on(run, planned(run, cloud))
    going = planned(run, cloud)
    names = (ended.scratch_name, going.scratch_name, "staffeln-drill-of-others", "ours")
    for name in names:
        cloud.things.add_server(name, project="backup")
        cloud.things.add_volume(name, project="backup")
    scratch.clear_leftovers(run)
    assert [one["name"] for one in cloud.servers()] == list(names[1:])
    own = cloud.volumes(project_id=cloud.world.project("backup").id)
    assert [one["name"] for one in own] == list(names[1:])
    assert [one.name for one in scratch.leftovers(run.runtime)[1]] == [names[2]]


def test_a_scratch_volume_is_removed_whatever_its_status_once_no_server_has_it(
    cloud: SimCloud, run: Run
) -> None:
    ended = carried_on(run, planned(run, cloud))
    stuck = cloud.things.add_volume(
        ended.scratch_name, project="backup", status="restoring-backup"
    )
    server = cloud.things.add_server("other", project="backup")
    used = cloud.things.add_volume(ended.scratch_name, project="backup", server=server)
    scratch.clear_leftovers(run)
    assert {one["id"] for one in cloud.volumes()} >= {used}
    assert stuck not in {one["id"] for one in cloud.volumes()}


def test_a_scratch_volume_is_never_backed_up_although_every_server_is_protected(
    cloud: SimCloud, begin: Begin
) -> None:
    run = begin(VERIFY_BOOT="tiny", SELECT_METADATA_KEY="")
    cloud.settings.console = "still booting"
    drill = carried_on(run, planned(run, cloud, bootable=True), timedelta(0))
    (scratch_volume,) = cloud.volumes(id=drill.scratch_volume_id)
    assert scratch_volume["status"] == "in-use"
    assert collect.run(run.runtime).exit_code == 0
    seen = {one.volume_id for one in run.store.inventory.all_volumes()}
    assert drill.scratch_volume_id not in seen
    assert len(seen) == 1


def test_a_scratch_volume_needs_no_protection_in_our_own_project_alone(
    cloud: SimCloud, run: Run
) -> None:
    for project in ("backup", "shop"):
        cloud.things.add_volume("staffeln-drill-x", project=project)
    cloud.things.add_volume("data", project="backup")
    own = cloud.world.project("backup").id
    volumes = [one for page in run.cloud.listings.volumes() for one in page]
    assert len(volumes) == 3
    for volume in volumes:
        is_scratch = volume.name == "staffeln-drill-x" and volume.project_id == own
        assert scratch.is_scratch(run, volume) == is_scratch
