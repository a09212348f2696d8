"""Metrics of the policy endpoint for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

ANSWERS = ("allowed", "denied", "bad_request", "unavailable")


class Metrics:
    """The metrics of one application, in a registry of its own."""

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
            "Lookups that failed in the database, or found a schema of another revision.",
            registry=self._registry,
        )

    def count(self, answer: str, seconds: float) -> None:
        """Count one answered question."""
        self._answers[answer].inc()
        self._seconds.observe(seconds)

    def count_database_error(self) -> None:
        """Count one failed lookup."""
        self._database_errors.inc()

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)
