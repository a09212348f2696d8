"""Backup hosts that get no work for a while, and get it again whatever happens."""

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from staffeln_cli.errors import (
    CloudUnavailable,
    LockHeld,
    ProjectUnavailable,
    Refused,
    ResultUnknown,
)
from staffeln_cli.runtime import Run

log = logging.getLogger(__name__)
LOCK = "catalog import"
"""Held while an import runs: what is disabled then is not to be enabled by others."""
REASON = "Staffeln imports backups of another zone; it enables this host again"


@contextmanager
def disabled(run: Run, hosts: Collection[str]) -> Iterator[None]:
    """Have Cinder give no work to these hosts until the end of the block.

    Each is noted before Cinder is asked, so that a later pass enables it if this one is killed.
    """
    try:
        for host in hosts:
            run.store.disabled_hosts.note(host, REASON, run.now())
            run.cloud.catalog.disable_host(host, REASON)
        yield
    finally:
        enable_all(run)


def enable_all(run: Run) -> None:
    """Enable every host that was noted; one that cannot be is named, and stays noted."""
    for host in run.store.disabled_hosts.names():
        try:
            run.cloud.catalog.enable_host(host)
        except (Refused, CloudUnavailable, ProjectUnavailable, ResultUnknown) as error:
            reason = f"could not be enabled again, which the next run tries: {error}"
            run.fail("backup host", host, reason)
        else:
            run.store.disabled_hosts.forget(host)


def repair(run: Run) -> None:
    """Enable what an import left disabled that was killed, unless one is running now."""
    if not run.store.disabled_hosts.names():
        return
    try:
        with run.runtime.lock(LOCK):
            enable_all(run)
    except LockHeld:
        log.info("an import is running: its backup hosts stay disabled")
