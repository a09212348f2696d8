"""Backup hosts get no work while records of another zone return, and get it again afterwards."""

import pytest

from staffeln_cli.demo.simcloud import Request, SimCloud
from staffeln_cli.demo.simcloud.world import BackupHost
from staffeln_cli.errors import CloudUnavailable, HostsNotSwitched
from staffeln_cli.operations.backup_hosts import LOCK, REASON, disabled, enable_all, repair
from staffeln_cli.runtime import Run


@pytest.fixture(autouse=True)
def three_hosts(cloud: SimCloud) -> None:
    cloud.settings.backup_hosts = (
        BackupHost("first", "az1"),
        BackupHost("second", "az2"),
        BackupHost("third", "az3", is_enabled=False, reason="its disks are replaced"),
    )


def enabled(cloud: SimCloud) -> list[str]:
    return [host.name for host in cloud.settings.backup_hosts if host.is_enabled]


def noted(run: Run) -> list[str]:
    return run.store.disabled_hosts.names()


def test_hosts_get_no_work_until_the_end_of_the_block(cloud: SimCloud, run: Run) -> None:
    with disabled(run, ["first"]):
        assert (enabled(cloud), noted(run)) == (["second"], ["first"])
        assert cloud.settings.backup_hosts[0].reason == REASON
    assert (enabled(cloud), noted(run)) == (["first", "second"], [])
    assert cloud.settings.backup_hosts[2].reason == "its disks are replaced"


def test_hosts_get_work_again_where_the_block_fails(cloud: SimCloud, run: Run) -> None:
    with pytest.raises(CloudUnavailable), disabled(run, ["first", "second"]):
        raise CloudUnavailable("in the middle")
    assert (enabled(cloud), noted(run)) == (["first", "second"], [])


def test_where_cinder_does_not_what_it_answers_nothing_is_disabled(
    cloud: SimCloud, run: Run
) -> None:
    cloud.settings.switches_hosts = False
    said = "has disabled backup host first, and has not"
    with pytest.raises(HostsNotSwitched, match=said), disabled(run, ["first", "second"]):
        raise AssertionError("the block must not begin")
    assert (enabled(cloud), noted(run)) == (["first", "second"], [])


def test_a_host_that_cinder_does_not_enable_again_is_named_with_the_way_out_and_stays_noted(
    cloud: SimCloud, run: Run
) -> None:
    with disabled(run, ["first"]):
        cloud.settings.switches_hosts = False
    (failure,) = run.failures
    assert "cinder-manage service remove cinder-backup first" in failure.reason
    assert noted(run) == ["first"]


def test_a_host_that_cannot_be_enabled_now_is_enabled_by_a_later_pass(
    cloud: SimCloud, run: Run
) -> None:
    with disabled(run, ["first", "second"]):
        cloud.faults.fail_next("PUT", "/os-services/enable", status=503)
    (failure,) = run.failures
    assert "could not be enabled again, which the next run tries" in failure.reason
    assert (enabled(cloud), noted(run)) == (["second"], ["first"])
    repair(Run(run.runtime, "check"))
    assert (enabled(cloud), noted(run)) == (["first", "second"], [])


def test_without_a_list_of_hosts_it_is_not_believed_that_they_are_enabled(
    cloud: SimCloud, run: Run
) -> None:
    def fail(request: Request) -> None:
        if request.path.endswith("/enable"):
            cloud.faults.fail_next("GET", "/os-services", status=503)

    with disabled(run, ["first"]):
        cloud.on_request = fail
    (failure,) = run.failures
    assert failure.reason.startswith("are the backup hosts enabled again?")
    assert noted(run) == ["first"]


def test_hosts_of_an_import_that_runs_now_stay_disabled(cloud: SimCloud, run: Run) -> None:
    run.store.disabled_hosts.note("first", REASON, run.now())
    run.cloud.catalog.disable_host("first")
    with run.runtime.lock(LOCK):
        repair(Run(run.runtime, "check"))
        assert noted(run) == ["first"]
    repair(Run(run.runtime, "check"))
    assert (enabled(cloud), noted(run)) == (["first", "second"], [])


def test_cinder_is_not_asked_where_no_import_disabled_anything(cloud: SimCloud, run: Run) -> None:
    repair(run)
    enable_all(run)
    assert cloud.requests == []
