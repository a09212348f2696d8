"""A backup that was available and that Cinder cannot restore any more."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.planning.health import Level
from staffeln_cli.runtime.run import PARTLY_FAILED
from tests.acceptance.builders import (
    a_volume,
    ids,
    reasons,
    records,
    rounds,
    sent,
    states,
    volumes,
)
from tests.conftest import Answer, Staffeln


def check(staffeln: Staffeln, cloud: SimCloud) -> Answer:
    """A check that lists all backups."""
    cloud.advance(hours=2)
    return staffeln("check", "-f", "json")


def broken(staffeln: Staffeln, cloud: SimCloud, *backups: str, status: str = "error") -> Answer:
    """These backups break in Cinder, and a check that sees it."""
    for backup in backups:
        cloud.things.set_backup(backup, status=status)
    return check(staffeln, cloud)


def nagios(staffeln: Staffeln) -> tuple[int, str]:
    answer = staffeln("status", "--nagios")
    return answer.exit_code, answer.stdout.partition("|")[0]


def next_kind(staffeln: Staffeln) -> str:
    """The kind of the backup that collect plans now."""
    planned = staffeln("collect", "-f", "json").counts["planned"]
    return str(records(staffeln)[-1]["kind"]) if planned else "nothing is due"


def sql(url: str, statement: str) -> None:
    with closing(sqlite3.connect(url.partition("///")[2])) as database, database:
        database.execute(statement)


def section(staffeln: Staffeln, folder: Path, title: str) -> bool:
    page = folder / "report.html"
    assert staffeln("report", "--preview", str(page), "--project", "shop").exit_code == 0
    return title in page.read_text()


@pytest.mark.parametrize("status", ["error", "error_deleting", "deleting"])
def test_the_loss_of_the_only_backup_is_critical_and_the_next_one_due_at_once(
    cloud: SimCloud, staffeln: Staffeln, status: str
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1, days=0)
    answer = broken(staffeln, cloud, *ids(cloud), status=status)
    assert answer.exit_code == PARTLY_FAILED
    assert f"cannot be restored any more: Cinder says {status}" in reasons(answer)[0]
    assert nagios(staffeln)[0] == Level.CRITICAL
    assert "all backups of 1 volume are missing or broken" in nagios(staffeln)[1]
    assert next_kind(staffeln) == "full"


def test_it_is_named_once_and_asked_for_once(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1, days=0)
    broken(staffeln, cloud, *ids(cloud))
    cloud.requests.clear()
    again = check(staffeln, cloud)
    assert (again.exit_code, sent(cloud, "GET", f"/backups/{ids(cloud)[0]}")) == (0, [])
    assert nagios(staffeln)[0] == Level.CRITICAL
    assert states(staffeln) == ["available"]


def test_with_a_new_backup_all_is_well(cloud: SimCloud, staffeln: Staffeln) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1, days=0)
    broken(staffeln, cloud, *ids(cloud))
    rounds(staffeln, cloud, 1, days=0)
    assert nagios(staffeln)[0] == Level.OK
    assert volumes(staffeln)[volume]["last_success_at"] == records(staffeln)[-1]["started_at"]


def test_of_a_chain_only_what_is_below_the_broken_backup_can_be_restored(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(BACKUP_FULL_BACKUP_DEPTH="1")
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 4, days=1)
    _, older_incremental, full, _ = records(staffeln)
    broken(staffeln, cloud, full["backup_id"])
    success_at = volumes(staffeln)[volume]["last_success_at"]
    assert success_at == older_incremental["started_at"]
    assert "missing or broken" not in nagios(staffeln)[1]
    assert next_kind(staffeln) == "full"


def test_all_chains_broken_leave_nothing_to_restore(cloud: SimCloud, staffeln: Staffeln) -> None:
    staffeln.set(BACKUP_FULL_BACKUP_DEPTH="1")
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 4, days=1)
    fulls = [one["backup_id"] for one in records(staffeln) if one["kind"] == "full"]
    broken(staffeln, cloud, *fulls)
    assert volumes(staffeln)[volume]["last_success_at"] is None
    assert "all backups of 1 volume are missing or broken" in nagios(staffeln)[1]


def test_what_can_be_restored_again_counts_again_and_is_told(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 2, days=1)
    before = volumes(staffeln)[volume]
    full = ids(cloud)[0]
    broken(staffeln, cloud, full)
    staffeln("report")
    assert broken(staffeln, cloud, full, status="available").exit_code == 0
    assert volumes(staffeln)[volume] == before
    assert "missing or broken" not in nagios(staffeln)[1]
    assert section(staffeln, tmp_path, "Counted as missing, failed or broken, and whole")


@pytest.mark.parametrize("status", ["error", "creating"])
def test_what_a_stale_listing_calls_whole_or_only_changes_its_status_stays_broken(
    cloud: SimCloud, staffeln: Staffeln, status: str
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1, days=0)
    (backup,) = ids(cloud)
    broken(staffeln, cloud, backup)
    listed = {backup: {"status": "creating" if status == "creating" else "available"}}
    cloud.faults.spoil_next("/backups/detail", listed)
    assert broken(staffeln, cloud, backup, status=status).exit_code == 0
    assert "missing or broken" in nagios(staffeln)[1]


def test_what_is_listed_as_whole_and_cannot_be_looked_up_is_named_and_stays_broken(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1, days=0)
    (backup,) = ids(cloud)
    broken(staffeln, cloud, backup)
    cloud.faults.proxy_404_next("GET", f"/backups/{backup}")
    answer = broken(staffeln, cloud, backup, status="available")
    assert "it is listed as whole again, and looking it up failed" in reasons(answer)[0]
    assert "missing or broken" in nagios(staffeln)[1]
    check(staffeln, cloud)
    assert "missing or broken" not in nagios(staffeln)[1]


def test_the_project_is_told_once(cloud: SimCloud, staffeln: Staffeln, tmp_path: Path) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1, days=0)
    staffeln("report")
    broken(staffeln, cloud, *ids(cloud))
    assert section(staffeln, tmp_path, "Broken: cannot be restored any more")
    cloud.advance(days=1)
    assert staffeln("report", "-f", "json").counts["logged"] == 1
    assert not section(staffeln, tmp_path, "Broken: cannot be restored any more")
    assert section(staffeln, tmp_path, "Not protected")


def test_a_paused_volume_gets_no_backup_and_is_critical_all_the_same(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1, days=0)
    assert staffeln("pause", "--volume", volume, "--reason", "moving").exit_code == 0
    broken(staffeln, cloud, *ids(cloud))
    assert next_kind(staffeln) == "nothing is due"
    assert nagios(staffeln)[0] == Level.CRITICAL


@pytest.mark.parametrize("status", ["error", "creating"])
def test_a_stale_listing_breaks_nothing(cloud: SimCloud, staffeln: Staffeln, status: str) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1, days=0)
    cloud.faults.spoil_next("/backups/detail", {ids(cloud)[0]: {"status": status}})
    assert check(staffeln, cloud).exit_code == 0
    assert nagios(staffeln)[0] == Level.OK


def test_one_that_cannot_be_looked_up_is_named_and_counts_as_before(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1, days=0)
    cloud.faults.proxy_404_next("GET", f"/backups/{ids(cloud)[0]}")
    answer = broken(staffeln, cloud, *ids(cloud))
    assert "it is listed as broken, and looking it up failed" in reasons(answer)[0]
    assert "missing or broken" not in nagios(staffeln)[1]
    check(staffeln, cloud)
    assert "missing or broken" in nagios(staffeln)[1]


def test_an_incremental_on_a_full_backup_that_broke_meanwhile_protects_nothing(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1, days=1)
    staffeln.cycle("collect", "backup")
    broken(staffeln, cloud, ids(cloud)[0])
    cloud.steering.finish_backups()
    check(staffeln, cloud)
    assert states(staffeln) == ["available", "available"]
    assert volumes(staffeln)[volume]["last_success_at"] is None
    assert next_kind(staffeln) == "full"


def test_other_views_do_not_count_it(cloud: SimCloud, staffeln: Staffeln) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1, days=0)
    broken(staffeln, cloud, *ids(cloud))
    audit: Any = staffeln("report", "--evidence", "-f", "json").json
    (row,) = audit["projects"][0]["volumes"]
    assert (row["available"], row["lost"]) == (0, 1)
    calendar = staffeln("status", "calendar", "-f", "json").json
    assert "lost" in json.dumps(calendar)
    offline = staffeln("explain", "--offline", volume, "-f", "json").json
    assert offline["backups"][0]["status"] == "error"


@pytest.fixture
def without_records(staffeln: Staffeln) -> None:
    """Nobody asks Cinder for export records."""
    staffeln.set(CATALOG_RECORDS="false")


@pytest.fixture
def theirs(cloud: SimCloud, staffeln: Staffeln) -> str:
    """A full backup that somebody else made; the only one of ours depends on it."""
    volume = a_volume(cloud)
    backup = cloud.things.add_backup(volume, name="by hand")
    cloud.advance(hours=1)
    rounds(staffeln, cloud, 1, days=0)
    assert [one["kind"] for one in records(staffeln)] == ["incremental"]
    return backup


def test_what_depends_on_a_broken_backup_of_others_breaks_with_it(
    cloud: SimCloud, staffeln: Staffeln, theirs: str
) -> None:
    answer = broken(staffeln, cloud, theirs)
    assert f"of backup {theirs}, on which it depends, Cinder says error" in reasons(answer)[0]
    assert nagios(staffeln)[0] == Level.CRITICAL
    assert check(staffeln, cloud).exit_code == 0
    assert next_kind(staffeln) == "full"
    assert broken(staffeln, cloud, theirs, status="available").exit_code == 0
    assert "missing or broken" not in nagios(staffeln)[1]


def test_what_depends_on_a_backup_of_another_installation_breaks_with_it(
    cloud: SimCloud, staffeln: Staffeln, sqlite_url: str
) -> None:
    """As after a new installation without the old database."""
    a_volume(cloud)
    rounds(staffeln, cloud, 1, days=1)
    sql(sqlite_url, "UPDATE cloud SET installation_id = 'another'")
    for table in ("backups", "volumes", "export_records"):
        sql(sqlite_url, f"DELETE FROM {table}")
    rounds(staffeln, cloud, 1, days=0)
    assert [one["kind"] for one in records(staffeln)] == ["incremental"]
    theirs = ids(cloud)[0]
    assert staffeln("check").exit_code == 0
    answer = broken(staffeln, cloud, theirs)
    assert f"of backup {theirs}, on which it depends, Cinder says error" in reasons(answer)[0]
    assert nagios(staffeln)[0] == Level.CRITICAL


def test_what_depends_on_a_backup_that_others_deleted_breaks_and_stays_broken(
    cloud: SimCloud, staffeln: Staffeln, theirs: str
) -> None:
    check(staffeln, cloud)
    cloud.things.remove_backup(theirs, force=True)
    assert check(staffeln, cloud).exit_code == 0
    answer = check(staffeln, cloud)
    assert "deleted the full backup that it depends on" in reasons(answer)[0]
    for _ in range(2):
        assert check(staffeln, cloud).exit_code == 0
        assert "missing or broken" in nagios(staffeln)[1]
    assert next_kind(staffeln) == "full"


@pytest.mark.usefixtures("without_records")
def test_without_export_records_it_breaks_as_well_after_two_looks_and_can_be_whole_again(
    cloud: SimCloud, staffeln: Staffeln, theirs: str
) -> None:
    row = cloud.world.backups[theirs]
    cloud.faults.omit_next("/backups/detail", [theirs])
    assert check(staffeln, cloud).exit_code == 0
    cloud.things.lose_backups(theirs)
    assert check(staffeln, cloud).exit_code == 0
    assert "missing or broken" not in nagios(staffeln)[1]
    assert "deleted the full backup that it depends on" in reasons(check(staffeln, cloud))[0]
    assert nagios(staffeln)[0] == Level.CRITICAL
    assert check(staffeln, cloud).exit_code == 0
    cloud.world.backups.add(row)
    assert check(staffeln, cloud).exit_code == 0
    assert "missing or broken" not in nagios(staffeln)[1]


def test_a_check_that_ends_before_it_noted_the_loss_leaves_it_to_be_found_again(
    cloud: SimCloud, staffeln: Staffeln, theirs: str, sqlite_url: str
) -> None:
    check(staffeln, cloud)
    cloud.things.remove_backup(theirs, force=True)
    check(staffeln, cloud)
    refuse = "CREATE TRIGGER refuse BEFORE UPDATE OF broken_at ON backups"
    sql(sqlite_url, f"{refuse} BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(IntegrityError):
        check(staffeln, cloud)
    sql(sqlite_url, "DROP TRIGGER refuse")
    check(staffeln, cloud)
    assert "missing or broken" in nagios(staffeln)[1]
