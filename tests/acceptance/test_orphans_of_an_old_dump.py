"""A database restored from an old dump: what it does not know is kept, listed, adopted."""

import shutil
from datetime import timedelta
from pathlib import Path

from staffeln_cli.commands import keep as pin
from staffeln_cli.config import load
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.runtime import Runtime
from tests.acceptance.builders import records, volumes
from tests.conftest import Staffeln


def _life(cloud: SimCloud, staffeln: Staffeln, days: int) -> None:
    for _ in range(days):
        staffeln.cycle("collect", "backup")
        cloud.steering.finish_backups()
        staffeln("check")
        cloud.advance(days=1)


def _restored_from_an_old_dump(cloud: SimCloud, staffeln: Staffeln) -> None:
    """Two backups, a dump, three more backups, and the dump is all that is left."""
    project = cloud.people.add_project("shop")
    metadata = {"__staffeln_backup": "true"}
    server = cloud.things.add_server("web", project=project, metadata=metadata)
    cloud.things.add_volume("data", project=project, server=server)
    cloud.people.grant("backup", project, "member")
    database = Path(staffeln.environ["STAFFELN_DATABASE_URL"].removeprefix("sqlite:///"))
    _life(cloud, staffeln, 2)
    dump = database.with_name("dump.db")
    shutil.copy(database, dump)
    _life(cloud, staffeln, 3)
    shutil.copy(dump, database)


def test_nothing_newer_than_the_dump_is_ever_deleted_nor_what_it_depends_on(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    _restored_from_an_old_dump(cloud, staffeln)
    staffeln.set(RETENTION_TIME="1s", RETENTION_KEEP_LAST="0")
    cloud.advance(timedelta(days=100))
    staffeln.cycle("check", "retain")
    assert len(cloud.backups()) == 5
    assert cloud.refused_deletes() == []


def test_the_doctor_lists_what_the_database_does_not_know_and_adopts_it_when_asked(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    _restored_from_an_old_dump(cloud, staffeln)
    unknown = staffeln("doctor", "--orphans", "-f", "json").json
    assert [one["adopted"] for one in unknown] == [False] * 3
    assert all(one["adopted"] for one in staffeln("doctor", "--adopt", "-f", "json").json)
    assert "has its record" in staffeln("doctor", "--orphans").stdout

    staffeln.set(RETENTION_TIME="1s", RETENTION_KEEP_LAST="0")
    cloud.advance(timedelta(days=100))
    assert staffeln("retain", "-f", "json").counts["deleted"] == 5
    assert cloud.backups() == []


def test_what_is_adopted_is_lost_with_the_backup_of_its_chain_that_it_depends_on(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    """Of the full and four incrementals the last three are adopted; the second of all breaks."""
    staffeln.set(CATALOG_RECORDS="false")
    _restored_from_an_old_dump(cloud, staffeln)
    staffeln("doctor", "--adopt")
    full, middle, *_ = sorted(records(staffeln), key=lambda one: str(one["started_at"]))
    assert {one["chain_id"] for one in records(staffeln)} == {full["backup_id"]}
    cloud.things.set_backup(middle["backup_id"], status="error")
    staffeln("check")
    (volume,) = volumes(staffeln).values()
    assert volume["last_success_at"] == full["started_at"]


def test_a_pin_that_comes_while_retention_is_at_work_still_holds(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    _restored_from_an_old_dump(cloud, staffeln)
    staffeln("doctor", "--adopt")
    staffeln.set(RETENTION_TIME="1s", RETENTION_KEEP_LAST="0", CLOUD_WORKERS="1")
    cloud.advance(timedelta(days=100))
    newest, *_, full = sorted(cloud.backups(), key=lambda one: one["created_at"], reverse=True)

    def pin_it(request: object) -> None:
        """Somebody pins the full while the first deletion is on its way."""
        if getattr(request, "method", "") == "DELETE":
            cloud.on_request = None
            pin.keep(Runtime(load(None, staffeln.environ).settings), full["id"], "audit")

    cloud.on_request = pin_it
    staffeln("retain", "-f", "json")
    left = {one["id"] for one in cloud.backups()}
    assert full["id"] in left
    assert newest["id"] not in left


def test_what_was_planned_in_the_dump_and_made_since_is_not_taken_for_a_double(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    project = cloud.people.add_project("shop")
    server = cloud.things.add_server(
        "web", project=project, metadata={"__staffeln_backup": "true"}
    )
    cloud.things.add_volume("data", project=project, server=server)
    cloud.people.grant("backup", project, "member")
    database = Path(staffeln.environ["STAFFELN_DATABASE_URL"].removeprefix("sqlite:///"))
    staffeln("collect")
    dump = database.with_name("dump.db")
    shutil.copy(database, dump)
    for _ in range(2):
        shutil.copy(dump, database)
        staffeln("backup")
        cloud.steering.finish_backups()
        cloud.advance(hours=2)
        staffeln("check")
    staffeln("check")
    assert len({one["name"] for one in cloud.backups()}) == 1
    assert len(cloud.backups()) == 2


def test_the_backups_of_another_installation_are_not_adopted_unless_it_is_named(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    cloud.people.add_project("shop")
    volume = cloud.things.add_volume("data", project="shop")
    for installation in ("production", ""):
        mark = {"staffeln:record": "0" * 16, "staffeln:installation": installation}
        cloud.things.add_backup(volume, metadata={key: text for key, text in mark.items() if text})
    staffeln("collect")
    assert staffeln("doctor", "--adopt", "-f", "json").exit_code == 0
    whose = {one["installation"] for one in staffeln("doctor", "--orphans", "-f", "json").json}
    assert whose == {"production", "none"}
    staffeln("check")
    for name in ("production", "none"):
        adopted = staffeln("doctor", "--adopt", "--installation", name, "-f", "json").json
        assert [one["installation"] for one in adopted if one["adopted"]] == [name]
