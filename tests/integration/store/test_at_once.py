"""Many threads and processes on one database: caps hold, nothing is started twice."""

import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from staffeln_cli.model import (
    BackupId,
    ExportCandidate,
    ExportRecord,
    ProjectId,
    RecordId,
    State,
    VolumeId,
)
from staffeln_cli.store import Caps, Store
from tests.build import NOW, a_backup, a_record, a_record_of, an_inventory_volume
from tests.integration.store.builders import PLENTY, a_claim, planned

ROOT = Path(__file__).parents[3]
STARTER = """
import sys
from datetime import datetime
from staffeln_cli.store import Caps, Store
from tests.build import NOW
from tests.integration.store.builders import a_claim
store = Store(sys.argv[1], clock=lambda: NOW)
print("ready", flush=True)
sys.stdin.readline()
while taken := store.lifecycle.claim_next(a_claim(sys.argv[2]), caps=Caps(60, 20), limit=3):
    print(*(one.id for one in taken), flush=True)
"""


def test_eight_threads_start_every_record_once(store: Store) -> None:
    records = planned(store, 60)

    def start(number: int) -> list[str]:
        found: list[str] = []
        while taken := store.lifecycle.claim_next(a_claim(f"run-{number}"), caps=PLENTY, limit=2):
            found += [one.id for one in taken]
        return found

    with ThreadPoolExecutor(8) as pool:
        ids = [one for found in pool.map(start, range(8)) for one in found]
    assert sorted(ids) == sorted(one.id for one in records)


def test_eight_threads_together_keep_to_the_caps(store: Store) -> None:
    for project in ("a", "b", "c"):
        planned(store, 20, project_id=ProjectId(project))
    caps = Caps(total=12, per_project=5)
    with ThreadPoolExecutor(8) as pool:
        taken = list(
            pool.map(
                lambda n: store.lifecycle.claim_next(a_claim(f"{n}"), caps=caps, limit=4),
                range(16),
            )
        )
    count = Counter(one.project_id for found in taken for one in found)
    assert sum(count.values()) == 12
    assert max(count.values()) <= 5


def test_two_processes_start_every_record_once_and_keep_to_the_caps(
    store: Store, database_url: str
) -> None:
    for project in ("a", "b", "c", "d"):
        planned(store, 25, project_id=ProjectId(project))
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", STARTER, database_url, f"run-{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for number in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    answers = [process.communicate("go\n", timeout=60)[0].split() for process in processes]
    ids = [RecordId(one) for answer in answers for one in answer]
    assert len(ids) == len(set(ids)) == 60
    count = Counter(one.project_id for one in store.records.by_record_ids(ids))
    assert set(count.values()) <= set(range(21))


def test_two_that_plan_the_same_volumes_plan_each_once(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        inserted = list(
            pool.map(
                lambda _: store.lifecycle.plan([a_record(f"v{i}") for i in range(30)]), range(8)
            )
        )
    assert sum(len(one) for one in inserted) == 30
    assert len(store.records.planned_or_unfinished()) == 30


def test_two_that_claim_open_work_share_it(store: Store) -> None:
    planned(store, 40)
    store.lifecycle.claim_next(a_claim("gone", minutes=-1), caps=PLENTY, limit=40)
    with ThreadPoolExecutor(4) as pool:
        claimed = list(
            pool.map(lambda n: store.claims.claim_open_work(a_claim(f"run-{n}")), range(4))
        )
    assert sorted(len(one) for one in claimed)[-1] <= 40
    assert sum(len(one) for one in claimed) == 40
    assert store.claims.claim_open_work(a_claim("late")) == []
    assert store.database.now() == NOW


def test_the_export_record_of_a_backup_comes_while_others_see_it_break(store: Store) -> None:
    store.inventory.save([an_inventory_volume("v1")])
    record = a_record_of(a_backup("full"), chain_id=BackupId("full"))
    store.lifecycle.adopt(record)
    candidate = ExportCandidate(BackupId("full"), record.project_id, record.volume_id)

    def export() -> None:
        for _ in range(60):
            store.exports.note(candidate, ExportRecord("driver", "url", None), NOW)

    def change() -> None:
        for _ in range(30):
            assert store.notes.broken(record, "in error", NOW)
            assert store.notes.whole(record, NOW)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(export), pool.submit(change)]:
            done.result()


def test_a_success_that_comes_while_another_host_misses_its_full_protects_nothing(
    store: Store,
) -> None:
    names = [VolumeId(f"v{number}") for number in range(25)]
    store.inventory.save([an_inventory_volume(name) for name in names])
    fulls = [a_backup(f"full of {name}", volume_id=name) for name in names]
    made = [
        a_backup(f"child of {name}", volume_id=name, incremental=True, days_old=1)
        for name in names
    ]
    for full in fulls:
        store.lifecycle.adopt(a_record_of(full, chain_id=full.id))
    children = [
        a_record_of(child, chain_id=full.id, state=State.CREATING)
        for child, full in zip(made, fulls, strict=True)
    ]
    store.lifecycle.plan(children)

    def miss() -> None:
        for full in store.records.by_backup_ids([full.id for full in fulls]):
            store.lifecycle.missing(full, "gone", NOW)

    def finish() -> None:
        for child, backup in zip(children, made, strict=True):
            store.lifecycle.finished(child, backup, NOW)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(miss), pool.submit(finish)]:
            done.result()
    rows = store.inventory.volumes(names).values()
    assert {(row.last_success_at, row.unrestorable_since) for row in rows} == {(None, NOW)}
