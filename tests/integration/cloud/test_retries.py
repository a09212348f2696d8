"""Requests that are repeated after a 429, a 5xx or a lost connection."""

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import a_volume, sent
from tests.conftest import Staffeln


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_page_is_asked_for_again_after_a_passing_trouble(
    cloud: SimCloud, staffeln: Staffeln, status: int
) -> None:
    a_volume(cloud)
    cloud.faults.fail_next("GET", "/volumes/detail", status=status, headers={"Retry-After": "0"})
    assert staffeln("collect", "-f", "json").counts["planned"] == 1
    assert len(sent(cloud, "GET", "/volumes/detail")) == 2


def test_retry_after_is_honoured(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    cloud.faults.fail_next("GET", "/volumes/detail", status=429, headers={"Retry-After": "1"})
    assert staffeln("collect").exit_code == 0
    first, second = sent(cloud, "GET", "/volumes/detail")
    assert (second.at - first.at).total_seconds() >= 1


def test_a_lost_connection_is_no_reason_to_give_up(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    cloud.faults.reset_next("GET", "/servers/detail")
    cloud.faults.lose_reply_next("GET", "/volumes/detail", acting=True)
    assert staffeln("collect", "-f", "json").counts["planned"] == 1


def test_half_an_answer_is_asked_for_again(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    cut = {"Content-Length": "100000", "Connection": "close"}
    cloud.faults.fail_next("GET", "/volumes/detail", status=200, body={"volumes": []}, headers=cut)
    answer = staffeln("collect", "-f", "json")
    assert (answer.exit_code, answer.counts["planned"]) == (0, 1)
    cloud.faults.fail_next("GET", "/backups/detail", status=200, body={}, headers=cut, times=1000)
    assert staffeln("collect", "-f", "json").exit_code == 69
