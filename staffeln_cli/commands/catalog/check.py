"""Read a catalog without a cloud: whole, unchanged, authentic, and complete."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from staffeln_cli.commands.catalog.file import CatalogRow, Reader
from staffeln_cli.commands.catalog.key import key_of
from staffeln_cli.errors import CatalogRejected
from staffeln_cli.model import Decision, Outcome
from staffeln_cli.planning.health import age
from staffeln_cli.runtime import Run, Runtime, run_offline

COUNTS = ("lines", "backups", "problems")


def run(runtime: Runtime, file: Path) -> Outcome:
    """Prove every line, and that each incremental's ancestors are there; it writes nothing."""
    return run_offline(runtime, "catalog check", lambda run: _check(run, file), counts=COUNTS)


def _check(run: Run, file: Path) -> None:
    run.shows_decisions = True
    reader = Reader(file, key_of(run.settings.catalog))
    try:
        for volume_id, records in of_volumes(reader.rows()):
            run.runtime.stop.check()
            _check_volume(run, volume_id, records)
    except CatalogRejected as error:
        run.fail("catalog", str(file), str(error).removeprefix(f"{file}: "))
    run.counts["lines"] = reader.lines
    run.counts["problems"] = len(run.failures)
    if reader.header is not None:
        _describe(run, file, reader)


def of_volumes(rows: Iterator[CatalogRow]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The export records of one volume after the other: all that has to be in memory at once."""
    records = (line.row for line in rows if line.table == "export_records")
    for volume_id, group in groupby(records, key=lambda row: str(row.get("volume_id"))):
        yield volume_id, [row for row in group if row.get("backup_url")]


def _check_volume(run: Run, volume_id: str, records: list[dict[str, Any]]) -> None:
    there = {row["backup_id"] for row in records}
    run.counts["backups"] += len(there)
    for row in records:
        parent = row.get("parent_id")
        if parent is not None and parent not in there:
            reason = f"the record of backup {parent}, which it depends on, is not in the file"
            run.fail("backup", row["backup_id"], reason, name=f"of volume {volume_id}")


def _describe(run: Run, file: Path, reader: Reader) -> None:
    header = reader.header
    if header is None:
        return
    written = datetime.fromisoformat(header.written_at)
    signed = "signed" if reader.is_signed else "not signed"
    if reader.is_signed and run.settings.catalog.key_file is None:
        signed = "signed, but not compared: catalog.key_file is not set"
    text = f"written {age(run.now(), written)} ago, of cloud {header.cloud or '-'}, {signed}"
    run.decide(Decision("checked", "catalog", str(file), "", text))
