"""The line with which a pass ends on a terminal."""

from collections.abc import Mapping
from typing import Any

import pytest

from staffeln_cli.cli.show import summary
from staffeln_cli.model import Failure, Outcome, RunId
from tests.build import NOW


def an_outcome(command: str = "collect", word: str = "ok", **more: Any) -> Outcome:
    return Outcome(command, RunId("r1"), word, NOW, 0.26, **{"api_requests": 6, **more})


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"servers": 7, "volumes": 14, "planned": 2}, "7 servers, 14 volumes, 2 planned"),
        ({"servers": 1, "volumes": 1, "planned": 1}, "1 server, 1 volume, 1 planned"),
        ({"drills": 1, "passed": 1, "timed_out": 0}, "1 drill, 1 passed"),
        ({"kept": 116000}, "116,000 kept"),
        ({"servers": 0}, "nothing to do"),
        ({}, "nothing to do"),
    ],
)
def test_figures_are_said_as_people_say_them(counts: Mapping[str, int], said: str) -> None:
    assert summary(an_outcome(counts=counts)) == f"collect: {said}  (0.3 s, 6 requests)"


def test_one_request_is_one() -> None:
    assert summary(an_outcome(api_requests=1)).endswith("  (0.3 s, 1 request)")


def test_a_dry_run_is_called_so() -> None:
    line = summary(an_outcome("backup", counts={"started": 3}, dry_run=True))
    assert line == "backup (dry run): 3 started  (0.3 s, 6 requests)"


@pytest.mark.parametrize(("number", "said"), [(1, "1 problem"), (2, "2 problems")])
def test_problems_are_counted(number: int, said: str) -> None:
    failures = tuple(Failure("volume", str(place), "why") for place in range(number))
    line = summary(an_outcome(word="partial", counts={"planned": 4}, failures=failures))
    assert line == f"collect: 4 planned; {said}  (0.3 s, 6 requests)"


def test_what_ended_early_or_did_not_begin_says_so() -> None:
    failed = summary(an_outcome(word="failed", counts={"servers": 1}, note="cut off"))
    assert failed == "collect: ended early; 1 server  (0.3 s, 6 requests)"
    skipped = summary(an_outcome(word="skipped", api_requests=0, note="host2\nis leader"))
    assert skipped == "collect: host2 is leader  (0.3 s, 0 requests)"
