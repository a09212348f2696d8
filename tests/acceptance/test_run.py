"""`staffeln run`: the five passes in one line of a crontab."""

from datetime import timedelta

import pytest

from staffeln_cli import locks
from staffeln_cli.demo.simcloud import Request, SimCloud
from staffeln_cli.errors import CloudUnavailable, ConfigError, LeadershipLost
from staffeln_cli.store import Store
from tests.acceptance.builders import (
    a_volume,
    changes,
    everything,
    rounds,
    some_volumes,
    states,
)
from tests.conftest import Staffeln

FIVE = ["collect", "backup", "check", "retain", "report"]


def test_run_does_the_five_passes_in_order(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    answer = staffeln("run", "-f", "json")
    assert answer.exit_code == 0
    assert [one["command"] for one in answer.json] == FIVE
    assert answer.json[0]["counts"]["planned"] == answer.json[1]["counts"]["started"] == 1


def test_run_is_silent_when_all_is_well(cloud: SimCloud, staffeln: Staffeln) -> None:
    staffeln.set(RETENTION_KEEP_LAST="0", REPORT_PERIOD="30d")
    a_volume(cloud)
    for _ in range(2):
        answer = staffeln("run")
        assert answer.exit_code == 0, answer
        assert answer.stdout == ""
        cloud.steering.finish_backups()


def test_run_goes_on_after_a_pass_that_failed_in_part_and_says_so(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, "bad", status="error")
    a_volume(cloud, "good")
    answer = staffeln("run", "-f", "json")
    assert answer.exit_code == 3
    assert [one["outcome"] for one in answer.json][:2] == ["partial", "ok"]
    assert len(cloud.backups()) == 1


def test_run_prints_its_list_when_the_cloud_is_down(cloud: SimCloud, staffeln: Staffeln) -> None:
    staffeln.set(CLOUD_RETRY_TIMEOUT="0s")
    with cloud.down():
        answer = staffeln("run", "-f", "json")
    assert answer.exit_code == CloudUnavailable.exit_code
    assert [one["command"] for one in answer.json] == FIVE


def test_run_prints_its_list_when_the_configuration_is_wrong(staffeln: Staffeln) -> None:
    staffeln.set(CLOUD_WORKERS="none")
    answer = staffeln("run", "-f", "json")
    assert answer.exit_code == ConfigError.exit_code
    assert [(one["command"], one["outcome"]) for one in answer.json] == [
        (command, "failed") for command in FIVE
    ]
    assert len(staffeln("run").stderr.splitlines()) == 1


def test_a_dry_run_of_all_five_changes_nothing(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    staffeln("run")
    cloud.steering.finish_backups()
    cloud.advance(days=30)
    some_volumes(cloud, 2)
    rows = everything(staffeln.environ["STAFFELN_DATABASE_URL"])
    cloud.requests.clear()
    answer = staffeln("run", "--dry-run", "-f", "json")
    assert answer.exit_code == 0
    assert all(one["dry_run"] for one in answer.json)
    assert changes(cloud) == []
    assert everything(staffeln.environ["STAFFELN_DATABASE_URL"]) == rows


@pytest.mark.parametrize("command", ["collect", "retain", "report"])
def test_a_pass_whose_lead_another_host_has_is_skipped_in_silence(
    cloud: SimCloud, staffeln: Staffeln, command: str
) -> None:
    a_volume(cloud)
    url = staffeln.environ["STAFFELN_LOCK_URL"]
    with locks.held(url, command, owner="elsewhere:1", lease=timedelta(minutes=1)):
        answer = staffeln(command, "-f", "json")
    assert (answer.exit_code, answer.json["outcome"]) == (0, "skipped")
    assert (answer.stderr, answer.json["failures"]) == ("", [])
    assert cloud.requests == []


@pytest.mark.parametrize("command", ["backup", "check"])
def test_what_all_hosts_may_do_at_once_needs_no_lead(
    cloud: SimCloud, staffeln: Staffeln, command: str
) -> None:
    url = staffeln.environ["STAFFELN_LOCK_URL"]
    with locks.held(url, command, owner="elsewhere:1", lease=timedelta(minutes=1)):
        assert staffeln(command, "-f", "json").json["outcome"] == "ok"


@pytest.mark.parametrize(("command", "path"), [("collect", "/volumes"), ("retain", "/backups")])
def test_a_leader_that_lost_its_lead_writes_nothing_more(
    cloud: SimCloud, staffeln_on_each: Staffeln, command: str, path: str
) -> None:
    staffeln = staffeln_on_each
    staffeln.set(RETENTION_KEEP_LAST="0")
    a_volume(cloud)
    rounds(staffeln, cloud, 1, days=20)
    before = states(staffeln)
    another = Store(staffeln.environ["STAFFELN_DATABASE_URL"])

    def take_over(request: Request) -> None:
        if path in request.path:
            cloud.on_request = None
            another.database.raise_fence(command, "elsewhere")

    cloud.on_request = take_over
    answer = staffeln(command)
    another.close()
    assert answer.exit_code == LeadershipLost.exit_code
    assert "taken over" in answer.stderr
    assert states(staffeln) == before
    assert changes(cloud)[-1].startswith("POST")  # the backup of the beginning; no deletion
