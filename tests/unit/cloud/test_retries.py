"""How long a request is repeated, and what its caller gets in the end."""

import threading
from datetime import timedelta

import pytest

from staffeln_cli.cloud.retries import Later, RetryBudget
from staffeln_cli.errors import CloudUnavailable


class Service:
    """Answers after so many failures."""

    def __init__(self, failures: float, retry_after: str | None = "0") -> None:
        self.failures, self.retry_after, self.asked = failures, retry_after, 0

    def __call__(self) -> str:
        self.asked += 1
        if self.asked <= self.failures:
            raise Later("HTTP 503", self.retry_after)
        return "answer"


def a_budget(seconds: float = 60, stopping: threading.Event | None = None) -> RetryBudget:
    return RetryBudget(timedelta(seconds=seconds), stopping or threading.Event())


def test_a_request_is_repeated_until_it_is_answered() -> None:
    service = Service(failures=2)
    assert a_budget().retrying(service, "GET /volumes") == "answer"
    assert service.asked == 3


def test_without_time_a_request_is_sent_once_and_named_with_what_was_answered() -> None:
    service = Service(failures=1)
    with pytest.raises(CloudUnavailable, match=r"^GET /volumes: HTTP 503$"):
        a_budget(seconds=0).retrying(service, "GET /volumes")
    assert service.asked == 1


def test_a_retry_after_of_hours_is_not_waited_for() -> None:
    service = Service(failures=float("inf"), retry_after="7200")
    with pytest.raises(CloudUnavailable):
        a_budget(seconds=0.1).retrying(service, "GET /volumes")
    assert service.asked >= 2


def test_nothing_is_repeated_once_the_run_is_told_to_stop() -> None:
    stopping = threading.Event()
    stopping.set()
    service = Service(failures=float("inf"))
    with pytest.raises(CloudUnavailable):
        a_budget(stopping=stopping).retrying(service, "GET /volumes")
    assert service.asked == 1


def test_the_time_is_that_of_all_requests_together_until_one_is_answered() -> None:
    budget = a_budget(seconds=0.2)
    with pytest.raises(CloudUnavailable):
        budget.retrying(Service(failures=float("inf")), "GET /volumes")
    late = Service(failures=1)
    with pytest.raises(CloudUnavailable):
        budget.retrying(late, "GET /servers")
    assert late.asked == 1
    budget.retrying(Service(failures=0), "GET /projects")
    assert budget.retrying(Service(failures=1), "GET /servers") == "answer"


@pytest.mark.parametrize("text", [None, "", "soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_retry_after_that_is_no_number_of_seconds_is_ignored(text: str | None) -> None:
    assert Later("HTTP 429", text).after == 0
