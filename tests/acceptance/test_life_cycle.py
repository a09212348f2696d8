"""The main job, end to end: volumes are protected, chains grow, expired chains go."""

from staffeln_cli.demo.simcloud import SimCloud
from tests.build import MARKED
from tests.conftest import Staffeln


def test_a_marked_servers_volume_gets_a_full_then_incrementals_then_retention(
    cloud: SimCloud, staffeln_on_each: Staffeln
) -> None:
    staffeln = staffeln_on_each
    project = cloud.people.add_project("shop")
    server = cloud.things.add_server("web", project=project, metadata=MARKED)
    volume = cloud.things.add_volume("data", project=project, server=server, size_gib=2)
    cloud.people.grant("backup", project, "member")
    for _ in range(9):
        collect, backup = staffeln.cycle("collect", "backup")
        assert collect.counts["planned"] == 1, collect
        assert backup.counts["started"] == 1, backup
        cloud.steering.finish_backups()
        assert staffeln("check", "-f", "json").counts["available"] == 1
        cloud.advance(days=1)
    kinds = [one["parent_id"] is None for one in cloud.backups(volume_id=volume)]
    assert kinds == [True] + [False] * 6 + [True, False]

    cloud.advance(days=17)
    retain = staffeln("retain", "-f", "json")
    assert retain.counts["deleted"] == 7, retain
    assert [one["project_id"] for one in cloud.backups(volume_id=volume)] == [project, project]
    assert cloud.refused_deletes() == []
