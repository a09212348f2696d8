"""check fetches each backup's export record once; from then on its parent is a fact."""

from typing import Any

from sqlalchemy import create_engine

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.tables import export_record_table
from tests.acceptance.builders import a_volume, ids, reasons, rounds, sent, some_volumes, twice
from tests.conftest import Staffeln


def kept(staffeln: Staffeln) -> dict[str, Any]:
    """The export records in the database, by the ids of their backups."""
    engine = create_engine(staffeln.environ["STAFFELN_DATABASE_URL"])
    with engine.connect() as connection:
        rows = connection.execute(export_record_table.select()).all()
    engine.dispose()
    return {row.backup_id: row for row in rows if row.backup_url is not None}


def exports(cloud: SimCloud) -> int:
    return len(sent(cloud, "GET", "/export_record"))


def test_each_record_is_fetched_once_with_the_parent_that_it_names(
    cloud: SimCloud, staffeln_on_each: Staffeln
) -> None:
    staffeln = staffeln_on_each
    a_volume(cloud)
    rounds(staffeln, cloud, 3)
    parents = {one["id"]: one["parent_id"] for one in cloud.backups()}
    assert {key: row.parent_id for key, row in kept(staffeln).items()} == parents
    assert exports(cloud) == 3

    staffeln.cycle("check", "check")
    assert exports(cloud) == 3


def test_a_pass_asks_for_no_more_than_its_share(cloud: SimCloud, staffeln: Staffeln) -> None:
    some_volumes(cloud, 5)
    staffeln.set(CATALOG_PER_PASS="2")
    rounds(staffeln, cloud, 1)
    assert exports(cloud) == 2
    staffeln.cycle("check", "check", "check")
    assert exports(cloud) == 5


def test_nothing_is_asked_for_where_the_catalog_is_off(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    staffeln.set(CATALOG_RECORDS="false")
    rounds(staffeln, cloud, 2)
    assert exports(cloud) == 0


def test_a_busy_backup_host_is_asked_again_later(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    cloud.faults.fail_next("GET", "/export_record", status=500)
    rounds(staffeln, cloud, 1, days=0)
    assert staffeln("check", "-f", "json").exit_code == 0
    assert exports(cloud) == 1
    cloud.advance(minutes=11)
    staffeln("check")
    assert exports(cloud) == 2
    assert list(kept(staffeln)) == ids(cloud)


def test_a_policy_that_forbids_it_is_named_once_and_the_rest_of_the_pass_is_done(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    some_volumes(cloud, 3)
    staffeln.cycle("collect", "backup")
    cloud.steering.finish_backups()
    cloud.faults.fail_next("GET", "/export_record", status=403, times=50)
    check = staffeln("check", "-f", "json")
    assert check.counts["available"] == 3
    assert check.exit_code == 3
    assert ["catalog.records = false" in one for one in reasons(check)] == [True]


def test_records_of_others_in_chains_of_ours_are_fetched_and_those_elsewhere_are_not(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    elsewhere = cloud.things.add_volume("elsewhere", project="shop")
    cloud.things.add_backup(elsewhere)
    foreign = cloud.things.add_backup("data")
    rounds(staffeln, cloud, 1)
    child = cloud.things.add_backup("data", incremental=True)
    rounds(staffeln, cloud, 2)
    ours = {one["id"] for one in cloud.backups() if one["metadata"]}
    assert kept(staffeln).keys() == ours | {foreign, child}
    assert {key for key, row in kept(staffeln).items() if row.is_foreign} == {foreign, child}


def test_the_record_of_a_foreign_backup_that_its_owner_deleted_goes_after_two_looks(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1)
    child = cloud.things.add_backup("data", incremental=True)
    cloud.advance(hours=2)
    staffeln("check")
    cloud.things.remove_backup(child)
    cloud.advance(hours=2)
    staffeln("check")
    assert child in kept(staffeln)
    cloud.advance(hours=2)
    staffeln("check")
    assert child not in kept(staffeln)


def test_records_of_lost_backups_stay_and_those_of_deleted_ones_go(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(BACKUP_FULL_BACKUP_DEPTH="0", RETENTION_TIME="36h")
    a_volume(cloud)
    rounds(staffeln, cloud, 4)
    staffeln("retain")
    assert sorted(kept(staffeln)) == sorted(ids(cloud))
    left = ids(cloud)
    cloud.things.lose_backups()
    cloud.advance(hours=2)
    twice(staffeln, cloud, "check")
    assert sorted(kept(staffeln)) == sorted(left)


def test_retention_asks_cinder_nothing_where_all_parents_are_known(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    """Two chains; the incrementals were made while their parents were last updated later."""
    staffeln.set(BACKUP_FULL_BACKUP_DEPTH="2", RETENTION_TIME="2d")
    a_volume(cloud)
    rounds(staffeln, cloud, 7)
    retain = staffeln("retain", "-f", "json")
    assert retain.counts["deleted"] > 0
    assert not [one for one in sent(cloud, "GET", "/backups/detail") if "parent_id" in one.query]
