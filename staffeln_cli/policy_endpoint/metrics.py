"""Figures of the policy endpoint for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

ANSWERS = ("allowed", "denied", "bad_request", "unavailable")


class Metrics:
    """One application's figures, apart from any other's in the process."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        requests = Counter(
            "staffeln_policy_requests",
            "Questions whether a backup may be deleted, by answer.",
            ["answer"],
            registry=self._registry,
        )
        self._answers = {answer: requests.labels(answer) for answer in ANSWERS}
        self._seconds = Histogram(
            "staffeln_policy_request_seconds",
            "Time to the answer.",
            buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
            registry=self._registry,
        )
        self._database_errors = Counter(
            "staffeln_policy_database_errors",
            "Look-ups that the database failed, or whose schema was not the right one.",
            registry=self._registry,
        )

    def count(self, answer: str, seconds: float) -> None:
        """One question was answered."""
        self._answers[answer].inc()
        self._seconds.observe(seconds)

    def count_database_error(self) -> None:
        """One look-up failed."""
        self._database_errors.inc()

    def exposition(self) -> bytes:
        """All of it, in the text format."""
        return generate_latest(self._registry)
