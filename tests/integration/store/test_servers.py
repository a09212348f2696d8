"""The definitions of servers, which stay as long as a backup of their volumes is kept."""

from typing import Any

from staffeln_cli.model import ProjectId, ServerId, State
from staffeln_cli.model.servers import KeptDefinition
from staffeln_cli.store import Store
from staffeln_cli.store.queries import insert
from tests.build import NOW, a_record, an_inventory_volume


def a_definition(server: str = "s1", name: str = "web", **more: Any) -> KeptDefinition:
    kept = KeptDefinition(ServerId(server), name, ProjectId("p1"), "digest", "{}", NOW)
    return kept._replace(**more)


def names(found: list[KeptDefinition]) -> list[str]:
    return [one.server_id for one in found]


def test_a_definition_is_found_by_id_by_name_and_by_project(store: Store) -> None:
    store.servers.save([a_definition("s2", "web"), a_definition("s1", "db")])
    store.servers.save([])
    assert store.servers.by_id(ServerId("s1")) == a_definition("s1", "db")
    assert store.servers.by_id(ServerId("s9")) is None
    assert names(store.servers.called("web")) == names(store.servers.called("s2")) == ["s2"]
    assert names(store.servers.of_project(ProjectId("p1"))) == ["s1", "s2"], "by name"


def test_a_server_that_has_changed_replaces_its_definition(store: Store) -> None:
    store.servers.save([a_definition()])
    store.servers.save([a_definition(digest="other", definition='{"a": 1}')])
    (found,) = store.servers.called("web")
    assert (found.digest, found.definition) == ("other", '{"a": 1}')


def test_a_lost_server_is_forgotten_when_no_backup_of_its_volumes_is_kept(store: Store) -> None:
    store.servers.save([a_definition("seen"), a_definition("kept"), a_definition("bare")])
    store.inventory.save(
        [an_inventory_volume(f"of-{one}", server_id=ServerId(one)) for one in ("kept", "bare")]
    )
    with store.database.write() as connection:
        records = [
            a_record("of-kept", state=State.AVAILABLE),
            a_record("of-bare", state=State.DELETED),
        ]
        insert(connection, records)
    store.servers.forget_unseen({ServerId("seen")})
    assert sorted(names(store.servers.called("web"))) == ["kept", "seen"]
    store.servers.forget_unseen({ServerId("seen"), ServerId("kept")})
    assert len(store.servers.called("web")) == 2
