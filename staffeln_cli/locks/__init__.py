"""Advisory locks, used as context managers. Correctness never depends on them."""

from contextlib import AbstractContextManager
from datetime import timedelta
from importlib import import_module
from typing import Protocol, cast

from staffeln_cli.errors import ConfigError
from staffeln_cli.locks.database import Leases
from staffeln_cli.locks.database import held as held_in_database
from staffeln_cli.locks.url import FileUrl, KubernetesUrl, LockUrl, RedisUrl, SentinelUrl, parse


class Lock(Protocol):
    """Permission to be the only run; it can be lost while the run is still working."""

    def still_held(self) -> bool:
        """Whether the lock is still held; no network access. Once False, it stays False."""


class Backend(Protocol):
    """The interface of the module of each lock service."""

    def held(
        self, url: object, name: str, *, owner: str, lease: timedelta
    ) -> AbstractContextManager[Lock]:
        """Hold the lock, or raise at once."""


BACKENDS = {
    FileUrl: ("file", ""),
    RedisUrl: ("redis", ""),
    SentinelUrl: ("redis", ""),
    KubernetesUrl: ("kubernetes", "kubernetes"),
}
"""For each kind of URL, its module and the pip extra that the module needs."""
DATABASE = "database"
"""The lock.url that means Staffeln's own database; `held` is given its leases then."""
SHORTEST_LEASE = timedelta(seconds=1)


def held(
    service: str | Leases, name: str, *, owner: str, lease: timedelta
) -> AbstractContextManager[Lock]:
    """Hold the lock inside a `with`; `service` is a URL, or the leases of a database.

    Raises LockHeld at once if another run has it, LockServiceUnavailable if that is not known.
    Losing a lease in the meantime ends nothing: `still_held` reports it, and leaving the `with`
    never disturbs the next holder.
    """
    parsed = parse(service) if isinstance(service, str) else service
    if lease < SHORTEST_LEASE:
        raise ConfigError([f"lock.lease: {lease} is too short to be renewed in time; at least 1s"])
    if not isinstance(parsed, LockUrl):
        return held_in_database(parsed, name, owner=owner, lease=lease)
    module, extra = BACKENDS[type(parsed)]
    try:
        backend = cast(Backend, import_module(f"{__name__}.{module}"))
    except ModuleNotFoundError as error:
        if not extra or (error.name or "").partition(".")[0] != extra:
            raise
        raise ConfigError(
            [f"lock.url: {extra} locks need another package: pip install 'staffeln[{extra}]'"]
        ) from error
    return backend.held(parsed, name, owner=owner, lease=lease)


def check_url(url: str) -> None:
    """Raise ConfigError unless `held` understands the URL; no network access."""
    if url != DATABASE:
        parse(url)
