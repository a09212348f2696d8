"""One run at a time, on this host or in the cluster: a `with`, and only a courtesy."""

from contextlib import AbstractContextManager
from datetime import timedelta
from importlib import import_module
from typing import Protocol, cast

from staffeln_cli.errors import ConfigError
from staffeln_cli.locks.url import FileUrl, KubernetesUrl, RedisUrl, SentinelUrl, parse


class Lock(Protocol):
    """Permission to be the only run, which may be lost while one believes to have it."""

    def still_held(self) -> bool:
        """Cheap, no network; once False, False for good."""


class Backend(Protocol):
    """What the module of each lock service offers."""

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
"""For each kind of URL, the module that serves it and the pip extra which that needs."""
SHORTEST_LEASE = timedelta(seconds=1)


def held(url: str, name: str, *, owner: str, lease: timedelta) -> AbstractContextManager[Lock]:
    """Hold the lock inside a `with`.

    LockHeld if somebody else has it, at once: cron will be back. LockServiceUnavailable if nobody
    can tell. A lease that is lost on the way ends nothing: `still_held` says so, and leaving the
    `with` never disturbs the next holder.
    """
    parsed = parse(url)
    if lease < SHORTEST_LEASE:
        raise ConfigError([f"lock.lease: {lease} is too short to be renewed in time; at least 1s"])
    module, extra = BACKENDS[type(parsed)]
    try:
        backend = cast(Backend, import_module(f"{__name__}.{module}"))
    except ModuleNotFoundError as error:
        if not extra or (error.name or "").partition(".")[0] != extra:
            raise
        raise ConfigError(
            [f"lock.url: {extra} locks need a package more: pip install 'staffeln[{extra}]'"]
        ) from error
    return backend.held(parsed, name, owner=owner, lease=lease)


def check_url(url: str) -> None:
    """Raise ConfigError unless the URL is one that `held` understands; asks nobody."""
    parse(url)
