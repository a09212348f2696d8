"""Locks in Kubernetes for a run in a pod: its service account lets it in, over TLS."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.locks.conftest import HERE
from tests.services.certificates import a_certificate
from tests.services.server import free_port

if TYPE_CHECKING:
    from tests.integration.locks.conftest import Run, Service
    from tests.services.server import Server


@dataclass
class Pod:
    """A folder as the kubelet mounts it, and the environment that it sets."""

    folder: Path
    start: "Callable[..., Run]"

    def take(self, name: str, url: str = "kubernetes://backups") -> "Run":
        """A run of this pod that wants a lock."""
        return self.start("in_pod.py", self.folder, "holder.py", url, name, "pod 1", 2)


@pytest.fixture(scope="module")
def cluster(
    serving: "Callable[..., Server]", tmp_path_factory: pytest.TempPathFactory
) -> tuple[int, Path]:
    """The port of an API server that speaks TLS, and its certificate."""
    port, certificate = free_port(), a_certificate(tmp_path_factory.mktemp("tls"))
    serving(port, sys.executable, HERE / "lease_api.py", port, 0, certificate)
    return port, certificate


@pytest.fixture
def pod(
    cluster: tuple[int, Path],
    run: "Callable[..., Run]",
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Pod:
    port, certificate = cluster
    (tmp_path / "token").write_text("let-me-in")
    (tmp_path / "ca.crt").write_bytes(certificate.read_bytes())
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(port))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "there is none"))
    return Pod(tmp_path, run)


def test_a_pod_is_let_in_by_its_service_account(pod: Pod) -> None:
    first = pod.take("shared")
    assert first.hear() == "held"
    assert pod.take("shared").hear() == "LockHeld"
    assert first.end() == "released"
    assert pod.take("shared").hear() == "held"


def test_a_pod_keeps_its_lock_for_longer_than_a_lease(pod: Pod) -> None:
    run = pod.take("kept")
    assert run.hear() == "held"
    until = time.monotonic() + 3
    while time.monotonic() < until:
        assert pod.take("kept").hear() == "LockHeld"
    assert run.still_held()


def test_a_pod_whose_account_is_refused_gets_no_lock(pod: Pod) -> None:
    (pod.folder / "token").write_text("expired")
    assert pod.take("refused").hear() == "LockServiceUnavailable"


def test_a_pod_sends_its_token_to_nobody_but_its_own_cluster(
    pod: Pod, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = a_certificate(tmp_path_factory.mktemp("other"))
    (pod.folder / "ca.crt").write_bytes(other.read_bytes())
    assert pod.take("misled").hear() == "LockServiceUnavailable"


@pytest.mark.parametrize("missing", ["token", "ca.crt"])
def test_a_pod_without_a_service_account_needs_a_kubeconfig(pod: Pod, missing: str) -> None:
    (pod.folder / missing).unlink()
    assert pod.take("nameless").hear() == "ConfigError"


def test_a_pod_that_is_given_a_kubeconfig_goes_by_that(
    pod: Pod, own_kubernetes: "Callable[[], Service]"
) -> None:
    (pod.folder / "token").write_text("expired")
    assert pod.take("elsewhere", own_kubernetes().url).hear() == "held"
