"""Checks of the catalog: is it saved, is it fresh, would it survive."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from staffeln_cli.commands.doctor.check import Check, CheckContext, ok, warning
from staffeln_cli.model.catalog import newest_catalog
from staffeln_cli.planning.health import age

_MOST_AGE = timedelta(days=2)
_NETWORK = ("nfs", "cifs", "smb", "ceph", "gluster", "lustre", "fuse.", "9p", "afs")
"""File systems whose files are on other hosts."""


def catalog(context: CheckContext) -> Iterator[Check]:
    """Whether a catalog file is there that a lost database could be brought back from."""
    yield from _hosts(context)
    folder = context.loaded.settings.catalog.path
    if folder is None:
        yield ok("catalog.path is not set: run saves no catalog")
        return
    newest = newest_catalog(file.name for file in folder.glob("*"))
    if newest is None:
        yield warning(f"{folder}: has no catalog yet", "run: staffeln catalog save " + str(folder))
        return
    name, written_at = newest
    now = context.runtime.now()
    if now - written_at > _MOST_AGE:
        yield warning(
            f"{folder}: the newest catalog was written {age(now, written_at)} ago",
            "see with `staffeln status runs` whether run still goes through",
        )
    else:
        yield ok(f"{folder}: {name}, written {age(now, written_at)} ago")
    if _is_on_the_clouds_host(context, folder):
        yield warning(
            f"{folder} is on this host, and Cinder's API is, too: they may be lost together",
            "set catalog.path to a folder on other storage, or copy the files elsewhere",
        )


def _hosts(context: CheckContext) -> Iterator[Check]:
    for host in context.runtime.store.disabled_hosts.names():
        yield warning(
            f"backup host {host} is disabled for an import",
            "the next check enables it, unless the import is still running",
        )


def _is_on_the_clouds_host(context: CheckContext, folder: Path) -> bool:
    """For all that can be told: Cinder's API is at an address of this host, the disk local."""
    url = context.runtime.cloud.login().cloud.block_storage_url
    return _is_here(urlsplit(url).hostname or "") and not _file_system(folder).startswith(_NETWORK)


def _is_here(host: str) -> bool:
    """Whether an address of this name is this host's own: only such ones can be bound."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    for family, kind, _, _, address in found:
        with socket.socket(family, kind) as tried:
            try:
                tried.bind((address[0], 0))
            except OSError:
                continue
            return True
    return False


def _file_system(folder: Path) -> str:
    """The type of the file system that a folder is on; empty where the system does not say."""
    try:
        lines = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    mounts = {fields[1]: fields[2] for fields in (line.split() for line in lines)}
    path = folder.resolve()
    return next((mounts[str(one)] for one in (path, *path.parents) if str(one) in mounts), "")
