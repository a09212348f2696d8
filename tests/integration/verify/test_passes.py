"""A pass of restore drills: whom it chooses, within which bounds, and what follows a failure."""

from datetime import timedelta
from typing import Any

import pytest

from staffeln_cli.commands import collect, verify
from staffeln_cli.commands.verify import VerifyRequest
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import ConfigError, NotFound
from staffeln_cli.model import DrillState, Outcome, VolumeId
from staffeln_cli.runtime import Runtime
from tests.acceptance.builders import a_volume, sent
from tests.integration.conftest import Begin
from tests.integration.restore.conftest import adopted

pytestmark = pytest.mark.usefixtures("restores_take_no_time")


def drilled(runtime: Runtime, *, dry_run: bool = False, **more: Any) -> Outcome:
    return verify.run(runtime, VerifyRequest(**more), dry_run=dry_run)


def backed_up(cloud: SimCloud, runtime: Runtime, *names: str, **more: Any) -> dict[str, str]:
    """Volumes that a collect has seen, each with one full backup; their ids by name."""
    ids = {name: a_volume(cloud, name, **more) for name in names}
    assert collect.run(runtime).exit_code == 0
    for row in runtime.store.inventory.volumes([VolumeId(one) for one in ids.values()]).values():
        adopted(cloud, runtime, row)
    return ids


def chosen(cloud: SimCloud, outcome: Outcome) -> list[str]:
    """The names of the volumes whose backups were, or would be, drilled."""
    volumes = {one["id"]: one["name"] for one in cloud.volumes()}
    of_backup = {one["id"]: volumes[one["volume_id"]] for one in cloud.backups()}
    return [of_backup[one.id] for one in outcome.decisions if one.action == "drill"]


def test_those_without_proof_come_first_and_then_the_oldest_proof(
    cloud: SimCloud, begin: Begin
) -> None:
    runtime = begin().runtime
    backed_up(cloud, runtime, "first", "second", "third")
    for name in ("second", "first"):
        assert drilled(runtime, volumes=[name]).counts["passed"] == 1
        cloud.advance(days=1)
    plan = drilled(runtime, dry_run=True)
    assert chosen(cloud, plan) == ["third", "second", "first"]
    assert "never proven" in next(iter(plan.decisions)).reason
    assert "was proven on" in list(plan.decisions)[-1].reason


def test_what_to_prove_can_be_named(cloud: SimCloud, begin: Begin) -> None:
    runtime = begin().runtime
    ids = backed_up(cloud, runtime, "orders")
    backed_up(cloud, runtime, "mail", project="lab")
    (backup,) = cloud.backups(volume_id=ids["orders"])
    for kind, name in (
        ("volumes", "orders"),
        ("servers", "orders-server"),
        ("projects", "shop"),
        ("backups", backup["id"]),
    ):
        known: dict[str, Any] = {kind: [name]}
        assert chosen(cloud, drilled(runtime, dry_run=True, **known)) == ["orders"]
        unknown: dict[str, Any] = {kind: ["nothing"]}
        assert drilled(runtime, **unknown).exit_code == NotFound.exit_code
    assert sent(cloud, "POST", "/volumes") == []


@pytest.mark.parametrize(
    ("bounds", "number"),
    [({"VERIFY_COUNT": "2"}, 2), ({"VERIFY_MAX_GIB": "8"}, 2), ({"VERIFY_COUNT": "5"}, 3)],
)
def test_the_bounds_of_a_pass_hold(
    cloud: SimCloud, begin: Begin, bounds: dict[str, str], number: int
) -> None:
    runtime = begin(**bounds).runtime
    backed_up(cloud, runtime, "a", "b", "c", size_gib=4)
    assert drilled(runtime).counts["passed"] == number


@pytest.mark.parametrize("limit", [{"gigabytes": 3}, {"volumes": 0}])
def test_a_quota_of_staffelns_own_project_holds_and_is_told(
    cloud: SimCloud, begin: Begin, limit: dict[str, int]
) -> None:
    runtime = begin().runtime
    backed_up(cloud, runtime, "data", size_gib=4)
    cloud.people.set_quota("backup", **limit)
    outcome = drilled(runtime, dry_run=True)
    assert (outcome.exit_code, outcome.counts["drills"]) == (0, 0)
    (held,) = outcome.decisions
    assert "the quota of Staffeln's own project leaves" in held.reason


def test_a_flavor_that_nova_does_not_have_is_a_mistake_in_the_configuration(
    cloud: SimCloud, begin: Begin
) -> None:
    runtime = begin(VERIFY_BOOT="huge").runtime
    backed_up(cloud, runtime, "data", bootable=True)
    outcome = drilled(runtime)
    assert outcome.exit_code == ConfigError.exit_code
    assert "no flavor 'huge'" in (outcome.note or "")
    assert sent(cloud, "POST", "/volumes") == []


def test_a_restore_that_fails_twice_has_failed_and_an_older_chain_is_tried(
    cloud: SimCloud, begin: Begin
) -> None:
    runtime = begin().runtime
    volume = backed_up(cloud, runtime, "data")["data"]
    cloud.advance(days=1)
    row = runtime.store.inventory.volumes([VolumeId(volume)])[VolumeId(volume)]
    adopted(cloud, runtime, row)
    older, newer = (one["id"] for one in cloud.backups())
    cloud.things.set_backup(newer, spoiled=True)
    outcome = drilled(runtime)
    assert [outcome.counts[name] for name in ("cancelled", "failed", "passed")] == [1, 1, 1]
    (failure,) = outcome.failures
    assert (failure.kind, failure.id) == ("backup", newer)
    drills = runtime.store.drills.of_volumes([VolumeId(volume)])[VolumeId(volume)]
    assert [one.backup_id for one in drills if one.state is DrillState.PASSED] == [older]


def test_a_drill_that_an_earlier_pass_left_is_gone_on_with_and_not_repeated(
    cloud: SimCloud, begin: Begin
) -> None:
    runtime = begin(VERIFY_TIME_BUDGET="1min", VERIFY_MAX_IN_FLIGHT="1").runtime
    backed_up(cloud, runtime, "data")
    cloud.settings.restore_pace = timedelta(hours=1)
    assert drilled(runtime).counts["running"] == 1
    cloud.advance(hours=1)
    outcome = drilled(runtime)
    assert (outcome.counts["drills"], outcome.counts["passed"]) == (1, 1)


def test_a_volume_without_a_backup_that_can_be_restored_is_passed_over(
    cloud: SimCloud, begin: Begin
) -> None:
    runtime = begin().runtime
    backed_up(cloud, runtime, "data")
    (backup,) = cloud.backups()
    cloud.things.set_backup(backup["id"], status="error")
    assert drilled(runtime).counts["drills"] == 0
