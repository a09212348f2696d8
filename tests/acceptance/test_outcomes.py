"""What a pass prints, for cron, for people and for programs; and how it ends."""

import json
from pathlib import Path
from typing import Any

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import CloudUnavailable, ConfigError
from tests.acceptance.builders import a_volume, backed_up, rounds, some_volumes
from tests.conftest import Answer, Staffeln

KEYS = {
    "command", "run_id", "outcome", "dry_run", "started_at", "duration_s", "api_requests",
    "counts", "failures",
}  # fmt: skip
COUNTS = {
    "collect": {"servers", "volumes", "protected", "skipped", "planned", "gone"},
    "backup": {"started", "deferred", "failed"},
    "check": {
        "running", "available", "failed", "timed_out", "adopted", "missing", "deleted",
    },
    "retain": {"kept", "expired", "deleting", "deleted", "blocked"},
}  # fmt: skip
CYCLE = tuple(COUNTS)


def the_object(answer: Answer) -> dict[str, Any]:
    """The one JSON object on stdout, with the promised keys and nothing else."""
    assert answer.stdout.count("\n") == 1
    found: dict[str, Any] = json.loads(answer.stdout)
    assert set(found) == KEYS
    assert found["started_at"].endswith("Z")
    for failure in found["failures"]:
        assert set(failure) == {"kind", "id", "reason"}
    return found


@pytest.mark.parametrize("command", CYCLE)
def test_json_is_one_object_with_the_promised_keys(
    cloud: SimCloud, staffeln: Staffeln, command: str
) -> None:
    a_volume(cloud)
    found = the_object(staffeln(command, "-f", "json"))
    assert (found["command"], found["outcome"], found["failures"]) == (command, "ok", [])
    assert set(found["counts"]) == COUNTS[command]
    assert found["api_requests"] > 0


@pytest.mark.parametrize("command", CYCLE)
def test_json_is_one_object_when_the_cloud_is_down(
    cloud: SimCloud, staffeln: Staffeln, command: str
) -> None:
    staffeln.set(CLOUD_RETRY_TIMEOUT="0s")
    with cloud.down():
        answer = staffeln(command, "-f", "json")
    found = the_object(answer)
    assert answer.exit_code == CloudUnavailable.exit_code
    assert found["outcome"] == "failed"
    assert "logging in" in found["failures"][-1]["reason"]
    assert set(found["counts"]) == COUNTS[command]


@pytest.mark.parametrize("command", CYCLE)
def test_json_is_one_object_when_the_configuration_is_wrong(
    staffeln: Staffeln, command: str
) -> None:
    staffeln.set(BACKUP_MIN_INTERVAL="soon")
    answer = staffeln(command, "-f", "json")
    found = the_object(answer)
    assert answer.exit_code == ConfigError.exit_code
    assert "min_interval" in found["failures"][0]["reason"]


def test_json_is_one_object_when_items_fail(cloud: SimCloud, staffeln: Staffeln) -> None:
    volume = a_volume(cloud, status="error")
    answer = staffeln("collect", "-f", "json")
    found = the_object(answer)
    assert (answer.exit_code, found["outcome"]) == (3, "partial")
    assert [(one["kind"], one["id"]) for one in found["failures"]] == [("volume", volume)]


def test_json_is_one_object_when_the_brake_is_on(cloud: SimCloud, staffeln: Staffeln) -> None:
    staffeln.set(
        RETENTION_KEEP_LAST="0", BACKUP_MAX_IN_FLIGHT="99", BACKUP_MAX_IN_FLIGHT_PER_PROJECT="99"
    )
    some_volumes(cloud, 51)
    rounds(staffeln, cloud, 1)
    cloud.advance(days=17)
    answer = staffeln("retain", "-f", "json")
    found = the_object(answer)
    assert (answer.exit_code, found["counts"]["expired"]) == (3, 51)
    assert "--confirm" in found["failures"][-1]["reason"]


def test_a_dry_run_in_json_adds_its_decisions(cloud: SimCloud, staffeln: Staffeln) -> None:
    volume = a_volume(cloud)
    found = staffeln("collect", "--dry-run", "-f", "json").json
    assert set(found) == KEYS | {"decisions"}
    assert [(one["action"], one["id"]) for one in found["decisions"]] == [("plan full", volume)]


def test_a_good_cycle_under_cron_prints_nothing(cloud: SimCloud, staffeln: Staffeln) -> None:
    staffeln.set(RETENTION_KEEP_LAST="0")
    a_volume(cloud)
    for _ in range(3):
        for command in CYCLE:
            answer = staffeln(command)
            assert (answer.exit_code, answer.stdout, answer.stderr) == (0, "", "")
            cloud.steering.finish_backups()
        cloud.advance(days=20)


@pytest.mark.parametrize("shape", ["text", "json"])
def test_every_failure_is_named_on_stderr(cloud: SimCloud, staffeln: Staffeln, shape: str) -> None:
    volume = a_volume(cloud, status="error")
    answer = staffeln("collect", "-f", shape)
    assert answer.exit_code == 3
    assert [line for line in answer.stderr.splitlines() if volume in line] == [
        f"volume {volume} (data of data-server): "
        "the volume is in status 'error', which allows no backup"
    ]


@pytest.mark.parametrize("shape", ["text", "json"])
def test_what_ended_a_pass_early_is_said_on_stderr(
    cloud: SimCloud, staffeln: Staffeln, shape: str
) -> None:
    staffeln.set(CLOUD_RETRY_TIMEOUT="0s")
    with cloud.down():
        answer = staffeln("collect", "-f", shape)
    assert len(answer.stderr.splitlines()) == 1
    assert answer.stderr.startswith("collect: ")


def test_failures_are_kept_with_the_run(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    cloud.steering.fail_next_backup("disk full")
    backed_up(staffeln, cloud)
    (check,) = staffeln("status", "runs", "--command", "check", "-f", "json").json
    assert check["outcome"] == "partial"


def test_a_lost_database_mid_pass_ends_it_with_69(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    a_volume(cloud)

    def lose(request: object) -> None:
        for file in tmp_path.glob("staffeln.db*"):
            file.write_bytes(b"x" * 8192)

    cloud.on_request = lose
    assert staffeln("collect").exit_code == 69


def test_the_requests_that_are_counted_are_those_that_were_sent(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    for command in CYCLE:
        cloud.requests.clear()
        assert staffeln(command, "-f", "json").json["api_requests"] == len(cloud.requests)


def test_a_volume_that_is_not_there_is_wrong_usage(cloud: SimCloud, staffeln: Staffeln) -> None:
    nowhere = "00000000-0000-4000-8000-000000000000"
    answer = staffeln("backup", "--volume", nowhere, "-f", "json")
    assert answer.exit_code == 2
    assert nowhere in the_object(answer)["failures"][0]["reason"]


@pytest.mark.parametrize(
    "words",
    [
        ("backup", "--volume", "nonsense"),
        ("restore", "nonsense"),
        ("verify", "--volume", "nonsense"),
    ],
)
def test_a_name_that_is_not_there_is_no_news_for_monitoring(
    cloud: SimCloud, staffeln: Staffeln, words: tuple[str, ...]
) -> None:
    a_volume(cloud)
    backed_up(staffeln, cloud)
    good = staffeln("status", "--nagios")
    assert (good.exit_code, staffeln(*words).exit_code) == (0, 2)
    assert staffeln("status", "--nagios").stdout == good.stdout
    runs = staffeln("status", "-f", "json").json["runs"]
    assert {run["outcome"] for run in runs.values()} == {"ok"}
    (newest,) = staffeln("status", "runs", "--limit", "1", "-f", "json").json
    assert (newest["command"], newest["outcome"]) == (words[0], "skipped")
