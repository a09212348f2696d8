"""The steps of `retain --dry-run` one after another in one thread: CPU seconds of each, as JSON.

`python -m tests.bench.retain_steps seed` lets the database know all backups as Staffeln's own.
"""

import gc
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import create_engine, insert

from staffeln_cli.cli.session import Session
from staffeln_cli.cloud import decode, pages
from staffeln_cli.cloud.pagination import next_query
from staffeln_cli.commands import retain
from staffeln_cli.model import Backup, Kind, Origin, State
from staffeln_cli.planning.chains.members import members, several_volumes
from staffeln_cli.planning.retention.verdicts import judge
from staffeln_cli.runtime import Runtime
from staffeln_cli.runtime.decisions import dumped
from staffeln_cli.tables import backup_table

BY_VOLUME = "volume_id:asc,created_at:desc,id:desc"


class Steps:
    """The pass, taken apart."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.seconds: Counter[str] = Counter()

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        began = time.process_time()
        yield
        self.seconds[step] += time.process_time() - began  # type: ignore[assignment]  # not whole

    def run(self) -> None:
        removals = retain._Removals()
        terms = retain._Terms(self._runtime.settings.retention, {}, removals)
        for group in several_volumes(self.pages(sort=BY_VOLUME), retain._VOLUMES_AT_ONCE):
            volume_ids = list({volume_id for _, volume_id in group})
            with self._timed("records"):
                records = self._runtime.store.records.briefs(volume_ids)
                inventory = self._runtime.store.inventory.volumes(volume_ids)
            with self._timed("judge"):
                now = self._runtime.now()
                verdicts = [
                    judge(
                        of_volume, terms.of(project_id, inventory.get(volume_id), now).terms, now
                    )
                    for (project_id, volume_id), of_volume in members(group, records).items()
                ]
            with self._timed("output"):
                for some in verdicts:
                    retain._show(some, {}, removals.decisions)
        with self._timed("output"), open("/dev/null", "w") as nowhere:  # noqa: PTH123
            for decisions in removals.decisions.values():
                nowhere.writelines(dumped(decisions))

    def pages(self, **order: str) -> Iterator[list[Backup]]:
        api = self._runtime.cloud._api
        api.login()
        listing = pages.backups()
        query: dict[str, str] | None = {"all_tenants": "1", **order}
        while query is not None:
            with self._timed("fetch"):
                body = api.get("block_storage", "/backups/detail", microversion="3.64", **query)
            with self._timed("decode"):
                page = listing.page(body)
                facts = [decode.backup(row) for row in page.rows]
            query = next_query(page.links)
            yield facts


def main() -> None:
    gc.set_threshold(50_000, 20, 20)  # as the command line has it
    runtime = Session().runtime
    steps = Steps(runtime)
    if sys.argv[1:] == ["seed"]:
        _seed(runtime, steps)
    else:
        steps.run()
        sys.stdout.write(json.dumps(steps.seconds))
    runtime.close()


def _seed(runtime: Runtime, steps: Steps) -> None:
    engine = create_engine(runtime.settings.database.url)
    with engine.begin() as connection:
        connection.execute(backup_table.delete())
        for page in steps.pages(sort="created_at:asc"):  # as they are made, night by night
            if page:
                connection.execute(insert(backup_table), [_row(one) for one in page])
    engine.dispose()


def _row(one: Backup) -> dict[str, Any]:
    return {
        "id": one.id, "name": one.id, "backup_id": one.id, "volume_id": one.volume_id,
        "project_id": one.project_id, "volume_name": "", "server_name": "", "attempt": 1,
        "kind": Kind.INCREMENTAL if one.is_incremental else Kind.FULL, "size_gib": one.size_gib,
        "state": State.AVAILABLE, "origin": Origin.SCHEDULED, "planned_at": one.created_at,
        "started_at": one.created_at, "finished_at": one.created_at,
    }  # fmt: skip


if __name__ == "__main__":
    main()
