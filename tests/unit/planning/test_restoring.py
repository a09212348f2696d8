"""What a restored volume is like, and what people do with it next."""

import pytest

from staffeln_cli.model import NewVolume, ServerId, VolumeId
from staffeln_cli.planning.restoring import (
    AS_THE_SOURCE,
    Made,
    Source,
    Target,
    encryption_problem,
    new_volume,
    next_steps,
    quota_problem,
    source_of,
)
from tests.build import a_backup, a_volume, an_inventory_volume

WANTED = [NewVolume(name="n", size_gib=size, volume_type="fast") for size in (10, 20)]


def test_of_a_source_that_nobody_knows_the_backup_gives_the_size() -> None:
    backup = a_backup()
    source = source_of(backup, None, None)
    assert new_volume(backup, source, AS_THE_SOURCE, "usual") == NewVolume(
        name="usual", size_gib=10
    )
    assert encryption_problem(source, "sealed", type_encrypts=True) is None


def test_cinder_knows_a_source_better_than_the_inventory() -> None:
    known = an_inventory_volume(volume_type="old", server_id=ServerId("s1"), server_name="web")
    volume = a_volume("s1", metadata={"a": "b"})._replace(volume_type="new")
    source = source_of(a_backup(), volume, known)
    assert (source.volume_type, source.server_name) == ("new", "web")
    assert (source.is_attached, dict(source.metadata)) == (True, {"a": "b"})
    moved = source_of(a_backup(), a_volume("s2"), known)
    assert (moved.server_id, moved.server_name) == ("s2", "")


@pytest.mark.parametrize(
    ("room", "said"),
    [
        ({"volumes": None, "gigabytes": None}, None),
        ({"volumes": 2, "gigabytes": 30, "per_volume_gigabytes": 20}, None),
        ({"volumes": 1}, "its quota of volumes has room for 1, and 2 are needed"),
        ({"gigabytes_fast": -3}, "its quota of gigabytes_fast has room for 0, and 30 are needed"),
    ],
)
def test_a_quota_is_looked_at_in_all_and_by_type(
    room: dict[str, int | None], said: str | None
) -> None:
    assert quota_problem(WANTED, room) == said


def test_a_quota_may_bound_each_volume() -> None:
    problem = quota_problem(WANTED, {"per_volume_gigabytes": 15})
    assert problem == "its quota allows volumes of 15 GiB, and 20 GiB are needed"


def test_a_volume_that_was_on_no_server_is_attached_to_one_of_choice() -> None:
    made = Made(VolumeId("new"), "data", Source(VolumeId("old")))
    assert list(next_steps("shop", None, [made])) == [
        "# with a role in project shop:",
        "openstack server add volume SERVER new  # data",
    ]


def test_a_booted_server_has_the_networks_of_the_old_one() -> None:
    root = Made(VolumeId("new"), "root", Source(VolumeId("old"), bootable=True))
    target = Target(ServerId("s1"), "web server", "tiny", ("blue", "green"))
    *_, boot = next_steps("shop", target, [root])
    assert boot == (
        "openstack server create --flavor tiny --volume new --network blue --network green"
        " --wait 'web server-restored'"
    )


def test_a_detached_volume_is_not_removed_from_its_server() -> None:
    target = Target(ServerId("s1"), "web", "tiny", ())
    made = Made(VolumeId("new"), "data", Source(VolumeId("old"), server_id=ServerId("s1")))
    assert list(next_steps("shop", target, [made])) == [
        "# with a role in project shop:",
        "openstack server add volume s1 new",
    ]
