"""Backup hosts that get no work for a while, and get it again whatever happens."""

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from staffeln_cli.errors import (
    CloudUnavailable,
    HostsNotSwitched,
    LockHeld,
    ProjectUnavailable,
    Refused,
    ResultUnknown,
)
from staffeln_cli.runtime import Run

log = logging.getLogger(__name__)
LOCK = "catalog import"
"""Held while an import runs: what is disabled then is not to be enabled by others."""
_STUCK = (
    "Cinder answers that it has enabled it, and has not (Cinder 29 does so); on a controller:"
    " cinder-manage service remove cinder-backup {host}; then restart cinder-backup on that host"
)
REASON = "Staffeln imports backups of another zone; it enables this host again"


@contextmanager
def disabled(run: Run, hosts: Collection[str]) -> Iterator[None]:
    """Have Cinder give no work to these hosts until the end of the block.

    Each is noted before Cinder is asked, so that a later pass enables it if this one is killed.
    HostsNotSwitched, and nothing is disabled, where Cinder does not do what it is asked.
    """
    try:
        for host in hosts:
            run.store.disabled_hosts.note(host, REASON, run.now())
            _disable(run, host)
        yield
    finally:
        enable_all(run)


def _disable(run: Run, host: str) -> None:
    """First without a reason: a Cinder that does not do that would not enable the host either."""
    run.cloud.catalog.disable_host(host)
    if host not in _disabled_hosts(run):
        run.store.disabled_hosts.forget(host)
        raise HostsNotSwitched(
            f"Cinder answers that it has disabled backup host {host}, and has not (Cinder 29 does"
            " so)"
        )
    run.cloud.catalog.explain_disabled(host, REASON)


def _disabled_hosts(run: Run) -> set[str]:
    return {
        service.host
        for service in run.cloud.lookups.all_backup_services()
        if not service.is_enabled
    }


def enable_all(run: Run) -> None:
    """Enable every host that was noted; one that cannot be is named, and stays noted."""
    noted = run.store.disabled_hosts.names()
    for host in noted:
        try:
            run.cloud.catalog.enable_host(host)
        except (Refused, CloudUnavailable, ProjectUnavailable, ResultUnknown) as error:
            reason = f"could not be enabled again, which the next run tries: {error}"
            run.fail("backup host", host, reason)
            noted = [one for one in noted if one != host]
    try:
        disabled_still = _disabled_hosts(run) if noted else set()
    except CloudUnavailable as error:
        run.fail("pass", run.command, f"are the backup hosts enabled again? {error}")
        return
    for host in noted:
        if host in disabled_still:
            run.fail("backup host", host, _STUCK.format(host=host))
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
