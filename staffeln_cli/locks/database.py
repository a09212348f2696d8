"""Locks between hosts that share a database: rows that expire by the database's own clock."""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

from staffeln_cli.errors import LockHeld, LockServiceUnavailable, StoreUnavailable
from staffeln_cli.locks.lease import Lease, LeaseLost, now, renewed

logger = logging.getLogger(__name__)


class Leases(Protocol):
    """What the database is asked for; each call raises StoreUnavailable if it does not answer."""

    @property
    def shown(self) -> str:
        """The database, as messages name it."""

    def take(self, name: str, *, owner: str, token: str, duration: timedelta) -> bool:
        """Take a lease that is free or has expired; False while another run has it."""

    def owner(self, name: str) -> str | None:
        """Who last took a lease; None once it was released."""

    def renew(self, name: str, *, token: str, duration: timedelta) -> bool:
        """Keep a lease for so much longer; False if another run has taken it."""

    def release(self, name: str, *, token: str) -> bool:
        """Give a lease back; False if it is another run's by now."""


@contextmanager
def held(leases: Leases, name: str, *, owner: str, lease: timedelta) -> Iterator[Lease]:
    """Hold the lock; a database that fails over to an old copy may forget it."""
    token = uuid.uuid4().hex
    since = now()
    with _understood():
        if not leases.take(name, owner=owner, token=token, duration=lease):
            who = leases.owner(name) or "another run"
            raise LockHeld(f"the lock {name} in the database {leases.shown} is held by {who}")

    def renew() -> None:
        with _understood():
            if not leases.renew(name, token=token, duration=lease):
                raise LeaseLost(f"the database {leases.shown} no longer has it as ours")

    try:
        with renewed(name, lease, since=since, renew=renew) as held:
            yield held
    finally:
        _release(leases, name, token)


def _release(leases: Leases, name: str, token: str) -> None:
    """Release the lock if it is still ours; otherwise it belongs to the next holder."""
    try:
        if not leases.release(name, token=token):
            logger.warning("the lock %s was not ours any more when it was released", name)
    except StoreUnavailable as error:
        logger.warning("the lock %s could not be released and will run out: %s", name, error)


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except StoreUnavailable as error:
        raise LockServiceUnavailable(f"the lock cannot be used: {error}") from error
