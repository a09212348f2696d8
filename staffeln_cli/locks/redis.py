"""Locks between hosts that share a Redis server: keys that expire, with a token per holder."""

import logging
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import LockError, RedisError
from redis.lock import Lock
from redis.retry import Retry
from redis.sentinel import Sentinel

from staffeln_cli.errors import LockHeld, LockServiceUnavailable
from staffeln_cli.locks.lease import Lease, LeaseLost, now, renewed, request_timeout
from staffeln_cli.locks.url import RedisLogin, RedisUrl, SentinelUrl

logger = logging.getLogger(__name__)


@contextmanager
def held(
    url: RedisUrl | SentinelUrl, name: str, *, owner: str, lease: timedelta
) -> Iterator[Lease]:
    """Hold the lock; a Redis that restarts without persistence, or fails over, may forget it."""
    with connected(url, timeout=request_timeout(lease)) as client:
        lock = client.lock(
            f"staffeln:lock:{name}", timeout=lease.total_seconds(), thread_local=False
        )
        since = now()
        _acquire(lock, client, name, owner, location(url))
        try:
            with renewed(
                name, lease, since=since, renew=lambda: _renew(lock, location(url))
            ) as held:
                yield held
        finally:
            _release(lock, name)


@contextmanager
def connected(url: RedisUrl | SentinelUrl, *, timeout: float) -> Iterator[Redis]:
    """Yield a client; it connects on first use."""
    options = _options(url.login, timeout)
    if isinstance(url, RedisUrl):
        with Redis(host=url.host, port=url.port, **options, **_credentials(url.login)) as client:
            yield client
        return
    sentinels = Sentinel(  # type: ignore[no-untyped-call]
        url.sentinels,
        sentinel_kwargs={
            **options,
            "username": url.sentinel_username,
            "password": url.sentinel_password,
        },
    )
    with ExitStack() as clients:
        for sentinel in sentinels.sentinels:
            clients.callback(sentinel.close)
        master: Redis = sentinels.master_for(  # type: ignore[no-untyped-call]
            url.service, **options, **_credentials(url.login)
        )
        clients.callback(master.close)
        yield master


def location(url: RedisUrl | SentinelUrl) -> str:
    """Name the service for a message, without its login."""
    if isinstance(url, RedisUrl):
        return f"Redis at {url.host}:{url.port}"
    sentinels = ", ".join(f"{host}:{port}" for host, port in url.sentinels)
    return f"the Redis master {url.service} of the Sentinels at {sentinels}"


def _options(login: RedisLogin, timeout: float) -> dict[str, Any]:
    options: dict[str, Any] = {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        # Repeated after a lost reply, SET NX would find its own key and take it for another run's.
        "retry": Retry(NoBackoff(), 0),
        # Redis before version 6 does not know protocol 3.
        "protocol": 2,
    }
    if login.tls:
        options |= {"ssl": True, **dict(login.tls_options)}
        options["ssl_check_hostname"] = options.get("ssl_check_hostname", "true").lower() == "true"
    return options


def _credentials(login: RedisLogin) -> dict[str, Any]:
    return {"username": login.username, "password": login.password, "db": login.db}


def _acquire(lock: Lock, client: Redis, name: str, owner: str, service: str) -> None:
    with _understood(service):
        if lock.acquire(blocking=False, token=f"{owner} {uuid.uuid4().hex}"):
            return
        holder = client.get(lock.name)
    text = holder.decode(errors="replace") if isinstance(holder, bytes) else ""
    who = text.rpartition(" ")[0] or "another run"
    raise LockHeld(f"the lock {name} in {service} is held by {who}")


def _renew(lock: Lock, service: str) -> None:
    with _understood(service):
        try:
            lock.reacquire()
        except LockError as error:
            raise LeaseLost(f"{service} no longer has it as ours") from error


def _release(lock: Lock, name: str) -> None:
    """Release the lock if it is still ours; otherwise it belongs to the next holder."""
    try:
        lock.release()
    except LockError:
        logger.warning("the lock %s was not ours any more when it was released", name)
    except (RedisError, OSError) as error:
        logger.warning("the lock %s could not be released and will run out: %s", name, error)


@contextmanager
def _understood(service: str) -> Iterator[None]:
    try:
        yield
    except LockError:
        raise
    except (RedisError, OSError) as error:
        raise LockServiceUnavailable(f"{service} cannot be used for locks ({error})") from error
