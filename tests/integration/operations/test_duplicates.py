"""A second backup of one record is removed; other backups of the same name are left alone."""

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import (
    a_volume,
    records,
    some_volumes,
    twice,
)
from tests.conftest import Staffeln


def test_a_backup_that_cinder_made_twice_by_accident_is_reduced_to_one(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    staffeln("collect")
    cloud.faults.lose_reply_next("POST", "/backups", acting=True)
    staffeln("backup")
    cloud.steering.finish_backups()
    (made,) = cloud.backups()
    cloud.advance(seconds=2)
    cloud.things.add_backup(volume, name=made["name"])
    cloud.advance(minutes=1)
    answer = staffeln("check", "-f", "json")
    assert (answer.exit_code, answer.counts["adopted"]) == (3, 1)
    assert "(data of data-server): made twice by accident" in answer.stderr
    staffeln.cycle("check", "check")
    assert [one["id"] for one in cloud.backups()] == [made["id"]]
    cloud.advance(hours=12)
    assert staffeln("collect", "-f", "json").counts["planned"] == 0


def test_somebody_elses_backup_of_the_same_name_on_another_volume_is_not_adopted(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    one, other = some_volumes(cloud, 2)
    cloud.things.set_metadata("shop-1-server", {})
    staffeln("collect")
    cloud.faults.lose_reply_next("POST", "/backups", acting=False)
    staffeln("backup")
    cloud.things.add_backup(other, name=records(staffeln)[0]["name"])
    cloud.advance(minutes=1)
    assert twice(staffeln, cloud, "check").counts["adopted"] == 0
    assert [(row["state"], row["volume_id"]) for row in records(staffeln)] == [("planned", one)]
