"""Write everything that is needed to bring backups back into one file."""

import contextlib
import glob
import os
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from staffeln_cli.commands.catalog.file import FORMAT, Header, Writer
from staffeln_cli.commands.catalog.key import key_of
from staffeln_cli.config.files import refuse_replacing
from staffeln_cli.errors import Unavailable
from staffeln_cli.model import Outcome
from staffeln_cli.model.catalog import (
    CATALOG_PREFIX,
    CATALOG_SUFFIX,
    catalog_name,
    newest_catalog,
)
from staffeln_cli.runtime import Run, Runtime, run_offline

COUNTS = ("backups", "records", "servers")
_PARTIAL = ".partial"
_DAILY = timedelta(days=1) - timedelta(minutes=15)
"""Once a day, although cron starts each run a little earlier or later than the one before."""
_LEFTOVER = timedelta(hours=6)
"""A partial file that old was left by a process that died."""


def run(runtime: Runtime, target: Path) -> Outcome:
    """Write a catalog to a file, or to a new file in a folder; it appears when it is whole."""
    return run_offline(
        runtime,
        "catalog save",
        lambda run: _save(run, target),
        counts=COUNTS,
        recorded=True,
    )


def is_due(runtime: Runtime) -> bool:
    """Whether `catalog.path` is set and has no file of the last day."""
    folder = runtime.settings.catalog.path
    if folder is None:
        return False
    newest = newest_catalog(file.name for file in _files(folder))
    return newest is None or runtime.now() - newest[1] >= _DAILY


def save_daily(runtime: Runtime) -> Outcome:
    """Write a catalog to `catalog.path`, and remove the oldest files beyond `catalog.keep`."""
    folder = runtime.settings.catalog.path
    if folder is None:
        raise ValueError("catalog.path is not set")
    outcome = run(runtime, folder)
    if outcome.exit_code == 0:
        for file in _files(folder)[: -runtime.settings.catalog.keep]:
            file.unlink(missing_ok=True)
    return outcome


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{CATALOG_PREFIX}*{CATALOG_SUFFIX}"))


def _save(run: Run, target: Path) -> None:
    try:
        if target.is_dir() or run.settings.catalog.path == target:
            target.mkdir(parents=True, exist_ok=True)
            target = target / catalog_name(run.now(), secrets.token_hex(2))
        with replaced_file(target) as file:
            _write(run, file)
    except OSError as error:
        raise Unavailable(f"{target}: cannot be written: {error.strerror}") from error


def _write(run: Run, file: BinaryIO) -> None:
    key = key_of(run.settings.catalog)
    database = run.store.database
    header = Header(
        staffeln_catalog=FORMAT,
        written_at=f"{run.now():%Y-%m-%dT%H:%M:%SZ}",
        schema=database.revision() or "",
        cloud=run.store.cloud.name() or "",
    )
    writer = Writer(file, header)
    counts: Counter[str] = Counter()
    for table, row in run.store.catalog.rows():
        run.runtime.stop.check()
        writer.add(table, row)
        counts[table] += row.get("backup_url") is not None if table == "export_records" else 1
    writer.finish(key)
    run.counts["backups"] = counts["backups"]
    run.counts["records"] = counts["export_records"]
    run.counts["servers"] = counts["servers"]


@contextlib.contextmanager
def replaced_file(target: Path) -> Iterator[BinaryIO]:
    """A file beside the target that takes its place when all of it is on the disk."""
    refuse_replacing(target)
    _remove_leftovers(target)
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}{_PARTIAL}")
    try:
        with os.fdopen(
            os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb"
        ) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove_leftovers(target: Path) -> None:
    """What processes that died left beside the target, or beside others of its folder."""
    found = {*target.parent.glob(f".{CATALOG_PREFIX}*{_PARTIAL}")}
    found.update(target.parent.glob(f".{glob.escape(target.name)}.*{_PARTIAL}"))
    for partial in found:
        with contextlib.suppress(FileNotFoundError):
            if time.time() - partial.stat().st_mtime > _LEFTOVER.total_seconds():
                partial.unlink()
