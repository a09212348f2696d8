"""What only locks in Kubernetes promise: rights, clocks, and a Lease that others understand."""

import json
import re
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from staffeln_cli.errors import ConfigError, LockHeld, LockServiceUnavailable
from staffeln_cli.locks import held
from staffeln_cli.model.text import dns_label

if TYPE_CHECKING:
    from tests.integration.locks.conftest import Run, Service

LEASE = timedelta(seconds=2)
KUBECONFIG = """
{{apiVersion: v1, kind: Config, current-context: here,
 contexts: [{{name: here, context: {{cluster: here, user: me}}}}],
 clusters: [{{name: here, cluster: {{server: "http://127.0.0.1:{port}"}}}}],
 users: [{{name: me, user: {{token: {token}}}}}]}}
"""
MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")


class Kubectl:
    """Somebody else who reads and writes Leases."""

    def __init__(self, service: "Service", pool: urllib3.PoolManager) -> None:
        assert service.server
        self._pool = pool
        self._leases = (
            f"http://127.0.0.1:{service.server.port}"
            "/apis/coordination.k8s.io/v1/namespaces/backups/leases"
        )

    def get(self, name: str) -> dict[str, Any]:
        return self._ask("GET", f"/{name}")

    def create(self, name: str, **spec: object) -> None:
        spec = {"leaseDurationSeconds": 5, **spec}
        self._ask("POST", "", {"metadata": {"name": name}, "spec": spec})

    def annotate(self, name: str, value: str) -> None:
        lease = self.get(name)
        lease["metadata"]["annotations"] = {"note": value}
        self._ask("PUT", f"/{name}", lease)

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        answer = self._pool.request(
            method,
            self._leases + path,
            body=json.dumps(body) if body else None,
            headers={"Authorization": "Bearer let-me-in"},
        )
        assert answer.status < 300, answer.data
        lease: dict[str, Any] = json.loads(answer.data)
        return lease


@pytest.fixture(scope="session")
def cluster(own_kubernetes: "Callable[[], Service]") -> "Service":
    return own_kubernetes()


@pytest.fixture
def kubectl(cluster: "Service") -> Iterator[Kubectl]:
    with urllib3.PoolManager() as pool:
        yield Kubectl(cluster, pool)


def test_the_lease_shows_who_holds_it_and_how_often_it_changed_hands(
    cluster: "Service", kubectl: Kubectl
) -> None:
    for times in range(3):
        with held(cluster.url, "shown", owner="host 1", lease=LEASE):
            spec = kubectl.get("staffeln-shown")["spec"]
            assert spec["holderIdentity"].startswith("host 1_")
            assert spec["leaseDurationSeconds"] == 2
            assert spec["leaseTransitions"] == times
            assert MICRO_TIME.fullmatch(spec["acquireTime"])
        assert "holderIdentity" not in kubectl.get("staffeln-shown")["spec"]


def test_what_others_wrote_on_the_lease_stays_and_does_not_cost_the_lock(
    cluster: "Service", kubectl: Kubectl
) -> None:
    with held(cluster.url, "annotated", owner="me", lease=LEASE) as lock:
        kubectl.annotate("staffeln-annotated", "hands off")
        assert lock.still_held()
    with held(cluster.url, "annotated", owner="me", lease=LEASE):
        pass
    metadata = kubectl.get("staffeln-annotated")["metadata"]
    assert metadata["annotations"] == {"note": "hands off"}


def test_a_lease_that_somebody_else_holds_is_respected(
    cluster: "Service", kubectl: Kubectl
) -> None:
    renewed = "9999-01-01T00:00:00.000000Z"
    kubectl.create("staffeln-foreign", holderIdentity="someone", renewTime=renewed)
    with (
        pytest.raises(LockHeld, match="backups/staffeln-foreign is held by someone"),
        held(cluster.url, "foreign", owner="me", lease=LEASE),
    ):
        pass


@pytest.mark.parametrize(
    "spec",
    [
        {"holderIdentity": "someone", "renewTime": "2001-01-01T00:00:00.000000Z"},
        {"holderIdentity": "someone"},
        {"renewTime": "9999-01-01T00:00:00.000000Z"},
    ],
)
def test_a_lease_that_nobody_renews_or_holds_is_taken_over(
    cluster: "Service", kubectl: Kubectl, spec: dict[str, str]
) -> None:
    name = f"abandoned-{'-'.join(spec).lower()}-{spec.get('renewTime', '')[:4]}"
    kubectl.create(f"staffeln-{dns_label(name)}", **spec)
    with held(cluster.url, name, owner="me", lease=LEASE) as lock:
        assert lock.still_held()


def test_a_host_whose_clock_is_behind_the_cluster_keeps_its_lock(
    own_kubernetes: "Callable[..., Service]",
) -> None:
    cluster = own_kubernetes(ahead=600)
    with held(cluster.url, "behind", owner="host 1", lease=LEASE) as lock:
        with (
            pytest.raises(LockHeld, match="host 1"),
            held(cluster.url, "behind", owner="me", lease=LEASE),
        ):
            pass
        assert lock.still_held()


def test_a_lease_left_by_a_host_whose_clock_is_ahead_of_the_cluster_still_runs_out(
    own_kubernetes: "Callable[..., Service]",
    holder: "Callable[..., Run]",
    seconds_until_free: "Callable[[Service, str], float]",
) -> None:
    cluster = own_kubernetes(ahead=-600)
    holder(cluster, "ahead").signal(signal.SIGKILL)
    assert 0.5 < seconds_until_free(cluster, "ahead") < 8


@pytest.mark.parametrize(
    ("namespace", "token"), [("forbidden", "let-me-in"), ("backups", "expired")]
)
def test_a_login_without_rights_is_unavailable_and_told_what_to_grant(
    cluster: "Service", tmp_path: Path, namespace: str, token: str
) -> None:
    assert cluster.server
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(KUBECONFIG.format(port=cluster.server.port, token=token))
    with (
        pytest.raises(LockServiceUnavailable, match="verbs get, create and update on leases"),
        held(f"kubernetes://{namespace}?kubeconfig={kubeconfig}", "a", owner="me", lease=LEASE),
    ):
        pass


@pytest.mark.parametrize("written", [None, "", "{]", "[]", "kind: Config"])
def test_a_kubeconfig_that_is_missing_or_unusable_is_a_mistake(
    tmp_path: Path, written: str | None
) -> None:
    if written is not None:
        (tmp_path / "kubeconfig").write_text(written)
    with (
        pytest.raises(ConfigError, match="no usable kubeconfig"),
        held(f"kubernetes://a?kubeconfig={tmp_path}/kubeconfig", "a", owner="me", lease=LEASE),
    ):
        pass


def test_a_context_that_does_not_exist_is_a_mistake(cluster: "Service") -> None:
    with (
        pytest.raises(ConfigError, match="elsewhere"),
        held(f"{cluster.url}&context=elsewhere", "a", owner="me", lease=LEASE),
    ):
        pass
