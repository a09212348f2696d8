"""Volumes that people choose are backed up at once: which kind, within which bounds, and how."""

from datetime import timedelta
from typing import Any

import pytest

from staffeln_cli.commands.backup_now import BackupRequest, run
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import NotFound
from staffeln_cli.model import BackupRecord, Kind, Outcome, ProjectId, State, VolumeId
from staffeln_cli.runtime import Runtime
from tests.acceptance.builders import a_volume, some_volumes
from tests.build import a_record
from tests.integration.conftest import Begin

NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def runtime(begin: Begin) -> Runtime:
    return begin().runtime


def back_up(runtime: Runtime, *volumes: str, **more: Any) -> Outcome:
    return run(runtime, BackupRequest(volumes=volumes, **more))


def recorded(runtime: Runtime, *volumes: str) -> list[BackupRecord]:
    return runtime.store.records.of_volumes([VolumeId(one) for one in volumes])


def kinds(cloud: SimCloud) -> list[str]:
    return ["incremental" if one["is_incremental"] else "full" for one in cloud.backups()]


def reasons(outcome: Outcome) -> list[str]:
    return [one.reason for one in outcome.failures]


def test_the_kind_is_what_the_chain_suggests_unless_a_full_one_is_asked_for(
    cloud: SimCloud, runtime: Runtime
) -> None:
    cloud.settings.finish_after = timedelta(0)
    volume = a_volume(cloud)
    for wanted in (None, None, Kind.FULL):
        assert back_up(runtime, volume, kind=wanted, wait=True).counts["started"] == 1
        cloud.advance(minutes=1)
    assert kinds(cloud) == ["full", "incremental", "full"]


def test_an_incremental_that_is_asked_for_goes_on_past_the_configured_depth(
    cloud: SimCloud, begin: Begin
) -> None:
    runtime = begin(BACKUP_FULL_BACKUP_DEPTH="0").runtime
    volume = a_volume(cloud)
    cloud.things.add_backup(volume)
    cloud.advance(minutes=1)
    back_up(runtime, volume, kind=Kind.INCREMENTAL)
    assert kinds(cloud) == ["full", "incremental"]


def test_an_incremental_without_a_parent_is_a_clear_error(
    cloud: SimCloud, runtime: Runtime
) -> None:
    volume = a_volume(cloud)
    outcome = back_up(runtime, volume, kind=Kind.INCREMENTAL)
    assert outcome.exit_code == 3
    assert reasons(outcome) == ["no incremental is possible: there is no full backup to depend on"]
    assert (cloud.backups(), recorded(runtime, volume)) == ([], [])


def test_what_the_schedule_has_planned_is_started_now_and_as_it_is_asked_for(
    cloud: SimCloud, runtime: Runtime
) -> None:
    volume = a_volume(cloud)
    cloud.things.add_backup(volume)
    cloud.advance(minutes=1)
    plan = a_record(
        volume,
        project_id=ProjectId(cloud.world.project("shop").id),
        kind=Kind.INCREMENTAL,
        planned_at=cloud.now(),
        not_before=cloud.now() + timedelta(hours=1),
    )
    runtime.store.lifecycle.plan([plan])
    assert back_up(runtime, volume, kind=Kind.FULL).counts["started"] == 1
    (record,) = recorded(runtime, volume)
    assert (record.id, record.state, record.kind) == (plan.id, State.CREATING, Kind.FULL)


def test_all_volumes_of_a_server_are_backed_up_and_one_without_any_is_named(
    cloud: SimCloud, runtime: Runtime
) -> None:
    bare = cloud.things.add_server("bare", project="shop")
    server = cloud.things.add_server("web", project="shop")
    for name in ("root", "data"):
        cloud.things.add_volume(name, server=server)
    outcome = run(runtime, BackupRequest(servers=[server, bare]))
    assert outcome.counts["started"] == 2
    assert {one["project_id"] for one in cloud.backups()} == {cloud.world.project("shop").id}
    assert [(one.id, one.reason) for one in outcome.failures] == [
        (bare, "has no volume that Cinder knows")
    ]


@pytest.mark.parametrize("kind", ["volumes", "servers"])
def test_one_that_does_not_exist_stops_everything_before_anything(
    cloud: SimCloud, runtime: Runtime, kind: str
) -> None:
    volumes = [a_volume(cloud), *([NOWHERE] if kind == "volumes" else [])]
    servers = [NOWHERE] if kind == "servers" else []
    outcome = run(runtime, BackupRequest(volumes=volumes, servers=servers))
    assert outcome.exit_code == NotFound.exit_code
    assert f"{NOWHERE}; nothing was started" in (outcome.note or "")
    assert cloud.backups() == []


def test_a_dry_run_says_the_kind_and_the_reason_and_starts_nothing(
    cloud: SimCloud, runtime: Runtime
) -> None:
    volume = a_volume(cloud)
    outcome = run(runtime, BackupRequest(volumes=[volume]), dry_run=True)
    assert [(one.action, one.id) for one in outcome.decisions] == [("start full", volume)]
    assert (cloud.backups(), recorded(runtime, volume)) == ([], [])


def test_a_backup_that_depends_on_one_being_restored_waits_and_that_is_told(
    cloud: SimCloud, runtime: Runtime
) -> None:
    volume = a_volume(cloud)
    backup = cloud.things.add_backup(volume)
    cloud.things.set_backup(backup, status="restoring")
    outcome = back_up(runtime, volume)
    assert (outcome.exit_code, outcome.counts["deferred"]) == (0, 1)
    assert [one.action for one in outcome.decisions] == ["wait with incremental"]


class TestAWait:
    def test_ends_when_the_backups_have_ended(self, cloud: SimCloud, runtime: Runtime) -> None:
        cloud.settings.finish_after = timedelta(minutes=5)
        volumes, began = some_volumes(cloud, 2), cloud.now()
        outcome = back_up(runtime, *volumes, wait=True)
        assert (outcome.exit_code, outcome.counts["started"]) == (0, 2)
        assert {one.state for one in recorded(runtime, *volumes)} == {State.AVAILABLE}
        assert timedelta(minutes=5) <= cloud.now() - began < timedelta(minutes=6)

    def test_starts_what_the_bounds_held_back_when_there_is_room(
        self, cloud: SimCloud, begin: Begin
    ) -> None:
        runtime = begin(BACKUP_MAX_IN_FLIGHT_PER_PROJECT="1").runtime
        volumes = some_volumes(cloud, 3)
        assert back_up(runtime, *volumes).counts["deferred"] == 2
        cloud.settings.finish_after = timedelta(minutes=1)
        assert back_up(runtime, *volumes, wait=True).counts["deferred"] == 0
        assert {one.state for one in recorded(runtime, *volumes)} == {State.AVAILABLE}

    def test_tells_of_a_backup_that_failed(self, cloud: SimCloud, runtime: Runtime) -> None:
        cloud.settings.finish_after = timedelta(0)
        cloud.steering.fail_next_backup("disk full")
        outcome = back_up(runtime, a_volume(cloud), wait=True)
        assert (outcome.exit_code, reasons(outcome)) == (3, ["disk full"])

    def test_leaves_alone_what_cannot_be_looked_up(
        self, cloud: SimCloud, runtime: Runtime
    ) -> None:
        odd, other = some_volumes(cloud, 2)
        back_up(runtime, odd)
        (backup,) = cloud.backups()
        cloud.settings.finish_after = timedelta(minutes=1)
        cloud.faults.spoil_next("/backups/", {backup["id"]: {"status": None}}, 1000)
        outcome = back_up(runtime, odd, other, wait=True)
        assert (outcome.exit_code, {one.id for one in outcome.failures}) == (3, {backup["id"]})
        states = {one.volume_id: one.state for one in recorded(runtime, odd, other)}
        assert states == {odd: State.CREATING, other: State.AVAILABLE}
