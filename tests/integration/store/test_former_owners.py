"""The owners that volumes have left: their backups there keep the retention that applied."""

from typing import Any

from staffeln_cli.model import FormerOwner, ProjectId, State, VolumeId
from staffeln_cli.store import Store
from staffeln_cli.store.queries import insert
from tests.build import NOW, a_record, ago, an_inventory_volume

HERE, THERE = ProjectId("p1"), ProjectId("p2")
VOLUME = an_inventory_volume("v1", retention="1y", last_success_at=ago(days=1))


def owner(project: ProjectId, **more: Any) -> FormerOwner:
    facts: dict[str, Any] = dict.fromkeys(FormerOwner._fields)
    facts |= {"project_id": project, "volume_id": VolumeId("v1"), "left_at": NOW}
    return FormerOwner(**(facts | more))


def transfer(store: Store, left: FormerOwner, project: ProjectId) -> None:
    """The volume leaves a project for another one."""
    row = store.inventory.volumes([VolumeId("v1")])[VolumeId("v1")]
    store.former_owners.transfer([left], [row.transferred(project, None)])


def owners(store: Store) -> set[str]:
    return {project for project, _ in store.former_owners.all()}


def test_a_transfer_is_remembered_and_the_new_owner_begins_anew(store: Store) -> None:
    store.inventory.save([VOLUME])
    transfer(store, owner(HERE, retention="1y"), THERE)
    (left,) = store.former_owners.all().values()
    assert (left.project_id, left.retention) == (HERE, "1y")
    row = store.inventory.volumes([VolumeId("v1")])[VolumeId("v1")]
    assert (row.project_id, row.last_success_at) == (THERE, None)
    assert row.first_seen_at == VOLUME.first_seen_at


def test_an_owner_that_has_it_back_is_no_former_one(store: Store) -> None:
    store.inventory.save([VOLUME])
    transfer(store, owner(HERE), THERE)
    transfer(store, owner(THERE), HERE)
    assert owners(store) == {THERE}
    transfer(store, owner(HERE), THERE)
    assert owners(store) == {HERE}


def test_the_terms_by_which_retention_judged_last_are_remembered(store: Store) -> None:
    store.inventory.save([VOLUME])
    transfer(store, owner(HERE), THERE)
    store.former_owners.note_retention_terms({})
    store.former_owners.note_retention_terms({(HERE, VolumeId("v1")): "time=1y"})
    (left,) = store.former_owners.all().values()
    assert left.last_applied_retention == "time=1y"


def test_an_owner_is_forgotten_when_no_backup_of_theirs_is_left(store: Store) -> None:
    store.inventory.save([VOLUME])
    transfer(store, owner(HERE, left_at=ago(days=100)), THERE)
    with store.database.write() as connection:
        insert(connection, [a_record("v1", project_id=HERE, state=State.AVAILABLE)])
    store.former_owners.forget(ago(days=90))
    assert owners(store) == {HERE}
    with store.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM backups")
    store.former_owners.forget(ago(days=101))
    assert owners(store) == {HERE}, "it has not left for long"
    store.former_owners.forget(ago(days=90))
    assert owners(store) == set()
