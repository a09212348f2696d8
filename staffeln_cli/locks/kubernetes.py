"""Locks between hosts that share a Kubernetes cluster: Lease objects, written by compare-and-set.

Who may take a lease over is decided by one clock, the API server's, as its `Date` header shows it:
a holder writes a `renewTime` that this clock has not passed yet, and others wait until it shows
`renewTime` plus the duration. So clocks of hosts do not matter. Processes started by cron are too
short-lived to watch a lease remain unchanged, which is how long-running controllers avoid clocks.
"""

import logging
import math
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from kubernetes.client import (
    ApiClient,
    ApiException,
    Configuration,
    CoordinationV1Api,
    V1Lease,
    V1LeaseSpec,
    V1ObjectMeta,
)
from kubernetes.config import ConfigException, load_incluster_config, load_kube_config
from urllib3.exceptions import HTTPError
from yaml import YAMLError

from staffeln_cli.errors import ConfigError, LockHeld, LockServiceUnavailable
from staffeln_cli.locks.lease import Lease, LeaseLost, now, renewed, request_timeout
from staffeln_cli.locks.url import KubernetesUrl
from staffeln_cli.model.text import dns_label

logger = logging.getLogger(__name__)

NOT_FOUND, CONFLICT = 404, 409
REFUSED = frozenset({401, 403})
GRANT = "grant its account the verbs get, create and update on leases.coordination.k8s.io there"


@contextmanager
def held(url: KubernetesUrl, name: str, *, owner: str, lease: timedelta) -> Iterator[Lease]:
    """Hold the lock; the Lease object stays afterwards, without a holder."""
    with ApiClient(_configuration(url)) as client:
        claim = _Claim(
            CoordinationV1Api(client),
            url.namespace,
            f"staffeln-{dns_label(name)}",
            identity=f"{owner}_{uuid.uuid4().hex}",
            duration=lease,
        )
        since = now()
        claim.take()
        try:
            with renewed(name, lease, since=since, renew=claim.renew) as held:
                yield held
        finally:
            claim.release()


@dataclass(frozen=True, slots=True)
class _Seen:
    """A Lease, or its absence, and what the API server's clock showed in whole seconds."""

    lease: V1Lease | None
    date: datetime
    asked_at: float

    def server_time(self) -> datetime:
        """The time of the API server's clock, or slightly later; never earlier."""
        since_asked = timedelta(seconds=now() - self.asked_at)
        ahead = self.date + timedelta(seconds=1) + since_asked
        # The client drops a fraction of zero, and the API server insists on six digits.
        return ahead.replace(microsecond=max(1, ahead.microsecond))

    def holder(self) -> str | None:
        """The holder of the lease, unless it has expired."""
        spec = self.lease.spec if self.lease else None
        if not spec or not spec.holder_identity or not spec.renew_time:
            return None
        runs_out = spec.renew_time + timedelta(seconds=spec.lease_duration_seconds or 0)
        return spec.holder_identity if self.date < runs_out else None


class _Claim:
    """One holder's right to one Lease."""

    def __init__(
        self,
        api: CoordinationV1Api,
        namespace: str,
        name: str,
        *,
        identity: str,
        duration: timedelta,
    ) -> None:
        self._api = api
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._seconds = math.ceil(duration.total_seconds())
        # A pair for connecting and reading: older clients ignore a single float.
        self._timeout = (request_timeout(duration),) * 2

    def take(self) -> None:
        """Become the holder, or raise LockHeld; of two that try, the API server lets one."""
        with self._understood():
            seen = self._read()
            if holder := seen.holder():
                raise LockHeld(f"{self} is held by {holder.rpartition('_')[0] or holder}")
            try:
                self._take(seen)
            except ApiException as error:
                if error.status == CONFLICT:
                    raise LockHeld(f"{self} was taken by another run just now") from None
                raise

    def _take(self, seen: _Seen) -> None:
        time = seen.server_time()
        spec = V1LeaseSpec(
            holder_identity=self._identity,
            lease_duration_seconds=self._seconds,
            acquire_time=time,
            renew_time=time,
            lease_transitions=0,
        )
        if seen.lease is None:
            metadata = V1ObjectMeta(name=self._name, namespace=self._namespace)
            self._api.create_namespaced_lease(
                self._namespace,
                V1Lease(
                    api_version="coordination.k8s.io/v1",
                    kind="Lease",
                    metadata=metadata,
                    spec=spec,
                ),
                _request_timeout=self._timeout,
            )
        else:
            before = seen.lease.spec.lease_transitions if seen.lease.spec else 0
            spec.lease_transitions = (before or 0) + 1
            seen.lease.spec = spec
            self._replace(seen.lease)

    def renew(self) -> None:
        """Raise LeaseLost if another run has it; a conflict with anybody else is tried again."""
        with self._understood():
            seen = self._read()
            lease, spec = self._own(seen)
            spec.renew_time = seen.server_time()
            self._replace(lease)

    def release(self) -> None:
        """Release the lease if it is still ours; otherwise it belongs to the next holder."""
        try:
            with self._understood():
                lease, spec = self._own(self._read())
                spec.holder_identity = None
                self._replace(lease)
        except LeaseLost as error:
            logger.warning("%s was not ours any more when it was released: %s", self, error)
        except LockServiceUnavailable as error:
            logger.warning("%s could not be released and will run out: %s", self, error)

    def __str__(self) -> str:
        return f"the lease {self._namespace}/{self._name}"

    def _own(self, seen: _Seen) -> tuple[V1Lease, V1LeaseSpec]:
        lease, spec = seen.lease, seen.lease.spec if seen.lease else None
        if lease and spec and spec.holder_identity == self._identity:
            return lease, spec
        raise LeaseLost(f"it is held by {seen.holder() or 'nobody'}")

    def _read(self) -> _Seen:
        asked_at = now()
        lease: V1Lease | None = None
        try:
            lease, _, headers = self._api.read_namespaced_lease_with_http_info(
                self._name, self._namespace, _request_timeout=self._timeout
            )
        except ApiException as error:
            if error.status != NOT_FOUND:
                raise
            headers = error.headers
        return _Seen(lease, self._date(headers), asked_at)

    def _replace(self, lease: V1Lease) -> None:
        """Write the lease if nobody has since it was read: it carries its resourceVersion."""
        self._api.replace_namespaced_lease(
            self._name, self._namespace, lease, _request_timeout=self._timeout
        )

    def _date(self, headers: Any) -> datetime:
        try:
            return parsedate_to_datetime(headers["Date"])
        except (KeyError, TypeError, ValueError) as error:
            raise LockServiceUnavailable(
                f"{self} cannot be judged: the Kubernetes API sends no Date header"
            ) from error

    @contextmanager
    def _understood(self) -> Iterator[None]:
        try:
            yield
        except ApiException as error:
            hint = f"; {GRANT}" if error.status in REFUSED else ""
            raise LockServiceUnavailable(
                f"{self} cannot be used: the Kubernetes API answered"
                f" {error.status} {error.reason}{hint}"
            ) from error
        except (HTTPError, OSError, ValueError) as error:
            raise LockServiceUnavailable(
                f"{self} cannot be used: no answer from a Kubernetes API ({error})"
            ) from error


def _configuration(url: KubernetesUrl) -> Configuration:
    """Log in as the pod's service account; outside a cluster, or when asked to, by kubeconfig."""
    configuration = Configuration()
    # Repeated after a lost reply, an update would conflict with itself.
    configuration.retries = 0
    try:
        if url.context is None and url.kubeconfig is None and _in_cluster(configuration):
            return configuration
        load_kube_config(  # type: ignore[no-untyped-call]
            url.kubeconfig, url.context, client_configuration=configuration
        )
    except (ConfigException, YAMLError, OSError, TypeError, ValueError) as error:
        seen = " ".join(str(error).split())
        raise ConfigError(
            [f"lock.url: no service account of a pod and no usable kubeconfig ({seen})"]
        ) from error
    return configuration


def _in_cluster(configuration: Configuration) -> bool:
    try:
        load_incluster_config(configuration)  # type: ignore[no-untyped-call]
    except ConfigException:
        return False
    return True
