"""What people name on the command line: by an id, or by a name that means one thing."""

from collections.abc import Callable
from typing import Any

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import NotFound
from staffeln_cli.model import BackupId, Project, ProjectId, ServerId, State
from staffeln_cli.operations import lookup
from staffeln_cli.runtime import Run
from staffeln_cli.store.queries import insert
from tests.build import NOW, a_record, an_inventory_volume

ID = "11111111-2222-3333-4444-555555555555"
OTHER = "99999999-2222-3333-4444-555555555555"


def seen(run: Run, volume_id: str, name: str = "data", **more: Any) -> None:
    """A volume that a collect has seen."""
    run.store.inventory.save([an_inventory_volume(volume_id, volume_name=name, **more)])


def on_server(run: Run, server_id: str, name: str = "web", **more: Any) -> None:
    seen(run, f"of-{server_id}", "root", server_id=ServerId(server_id), server_name=name, **more)


class TestAVolume:
    def test_is_found_by_its_name_and_by_its_id(self, run: Run) -> None:
        seen(run, "v1")
        assert lookup.volume(run.runtime, "data").volume_id == "v1"
        assert lookup.volume(run.runtime, "v1").volume_name == "data"

    def test_that_exists_is_meant_rather_than_one_that_is_gone(self, run: Run) -> None:
        seen(run, "gone", gone_at=NOW)
        assert lookup.volume(run.runtime, "data").volume_id == "gone"
        seen(run, "there")
        assert lookup.volume(run.runtime, "data").volume_id == "there"

    def test_that_is_gone_may_be_meant_too_where_backups_are_looked_for(self, run: Run) -> None:
        seen(run, "gone", gone_at=NOW)
        seen(run, "there", server_name="")
        with pytest.raises(NotFound) as error:
            lookup.volume(run.runtime, "data", also_gone=True)
        assert str(error.value).splitlines() == [
            "2 volumes are named 'data'; say which by its id:",
            "  gone (of web, project p1, gone)",
            "  there (of no server, project p1)",
        ]

    def test_that_nobody_has_seen_is_refused_with_the_likely_cause(self, run: Run) -> None:
        with pytest.raises(NotFound, match="has `staffeln collect` run since it exists"):
            lookup.volume(run.runtime, "data")


class TestAServer:
    def test_is_known_by_the_volumes_that_were_seen_on_it(self, run: Run) -> None:
        run.store.projects.save([Project(ProjectId("p1"), "shop")])
        on_server(run, "s1")
        found = lookup.server(run.runtime, "web")
        assert (found.server_id, found.project_name, found.exists) == ("s1", "shop", True)
        assert lookup.server(run.runtime, "s1") == found

    def test_whose_volumes_exist_is_meant_rather_than_a_lost_one(self, run: Run) -> None:
        on_server(run, "s1", gone_at=NOW)
        on_server(run, "s2")
        assert lookup.server(run.runtime, "web").server_id == "s2"
        with pytest.raises(NotFound, match=r"s1 \(project p1, gone\)"):
            lookup.server(run.runtime, "web", also_gone=True)

    def test_may_be_called_like_the_id_of_another(self, run: Run) -> None:
        on_server(run, "s1")
        on_server(run, "s2", name="s1")
        assert lookup.server(run.runtime, "s1").server_id == "s1"

    def test_that_nobody_has_seen_is_refused(self, run: Run) -> None:
        with pytest.raises(NotFound, match="no volume was ever seen on a server 'web'"):
            lookup.server(run.runtime, "web")


class TestAProject:
    def test_of_two_domains_is_named_by_its_id(self, run: Run) -> None:
        shops = [Project(ProjectId(one), "shop", domain_id=f"d-{one}") for one in ("p1", "p2")]
        run.store.projects.save(shops)
        assert lookup.project(run.runtime, "p2").domain_id == "d-p2"
        with pytest.raises(NotFound, match=r"p1 \(d-p1\)\n  p2 \(d-p2\)"):
            lookup.project(run.runtime, "shop")
        run.store.projects.note_gone([ProjectId("p1")], NOW)
        assert lookup.project_id(run.runtime, "shop") == "p2"

    def test_that_was_never_seen_is_taken_for_an_id_where_the_database_may_be_new(
        self, run: Run
    ) -> None:
        assert lookup.project_id(run.runtime, "p9") == "p9"
        with pytest.raises(NotFound, match="no project 'p9' was ever seen"):
            lookup.project(run.runtime, "p9")


def test_ids_need_not_have_been_seen_and_names_must(run: Run) -> None:
    seen(run, "v1")
    on_server(run, "s1")
    assert list(lookup.volume_ids(run.runtime, [ID, "data"])) == [ID, "v1"]
    assert list(lookup.server_ids(run.runtime, [ID, "web"])) == [ID, "s1"]
    for ids in (lookup.volume_ids, lookup.server_ids):
        with pytest.raises(NotFound):
            list(ids(run.runtime, ["nobody"]))


class TestABackup:
    @pytest.fixture
    def made(self, cloud: SimCloud, run: Run) -> str:
        """A backup that Cinder has."""
        return cloud.things.add_backup(cloud.things.add_volume("data", project="shop"))

    @pytest.fixture
    def of_record(self, run: Run, made: str) -> Callable[..., str]:
        def of_record(**more: Any) -> str:
            record = a_record(name="backup-1", **more)
            with run.store.database.write() as connection:
                insert(connection, [record])
            return record.name

        return of_record

    def test_is_found_by_our_name_and_by_cinders_id(
        self, run: Run, made: str, of_record: Callable[..., str]
    ) -> None:
        name = of_record(state=State.AVAILABLE, backup_id=BackupId(made))
        assert lookup.backup(run, name).id == lookup.backup(run, made).id == made

    def test_that_somebody_else_made_is_found_by_cinders_id(self, run: Run, made: str) -> None:
        assert lookup.backup(run, made).id == made

    def test_that_was_never_made_has_nothing_to_restore(
        self, run: Run, of_record: Callable[..., str]
    ) -> None:
        name = of_record(state=State.FAILED, reason="over quota")
        with pytest.raises(NotFound, match="backup-1 is failed: Cinder has nothing to restore"):
            lookup.backup(run, name)

    @pytest.mark.parametrize("name", [OTHER, "no-id-and-no-name"])
    def test_that_cinder_does_not_have_is_refused(self, run: Run, name: str) -> None:
        with pytest.raises(NotFound, match=f"Cinder has no backup '{name}'; nothing was restored"):
            lookup.backup(run, name)
