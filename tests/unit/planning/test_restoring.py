"""What a restored volume is like, and what people do with it next."""

import pytest

from staffeln_cli.model import NewVolume, ServerId, VolumeId
from staffeln_cli.planning.restoring import (
    AS_THE_SOURCE,
    Made,
    Overrides,
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


def test_a_source_that_is_gone_is_as_the_inventory_last_saw_it() -> None:
    known = an_inventory_volume(
        volume_name="orders",
        size_gib=20,
        volume_type="fast",
        availability_zone="az2",
        bootable=True,
        user_metadata={"role": "db"},
        server_id=ServerId("s1"),
    )
    backup = a_backup(size_gib=5)
    source = source_of(backup, None, known)
    assert (source.bootable, source.server_name, source.is_attached) == (True, "web", False)
    assert new_volume(backup, source, AS_THE_SOURCE, "usual") == NewVolume(
        name="usual",
        size_gib=20,
        volume_type="fast",
        availability_zone="az2",
        metadata={"role": "db"},
    )


def test_what_the_operator_asks_for_wins_over_the_source() -> None:
    source = Source(VolumeId("v1"), volume_type="fast", availability_zone="az2")
    made = new_volume(a_backup(), source, Overrides("slow", "az1", "mine"), "usual")
    assert (made.volume_type, made.availability_zone, made.name) == ("slow", "az1", "mine")


@pytest.mark.parametrize(
    ("was", "is_now", "said"),
    [
        (True, True, None),
        (False, False, None),
        (True, False, "its volume was encrypted, and volumes of type t are not"),
        (False, True, "its volume was not encrypted, and volumes of type t are"),
    ],
)
def test_a_type_has_to_fit_the_encryption_of_the_backup(
    was: bool, is_now: bool, said: str | None
) -> None:
    source = Source(VolumeId("v1"), encrypted=was)
    assert encryption_problem(source, "t", type_encrypts=is_now) == said


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


def test_a_volume_that_is_in_use_is_exchanged_for_the_restored_one() -> None:
    target = Target(ServerId("s1"), "web", "tiny", ())
    source = Source(VolumeId("old"), server_id=ServerId("s1"), is_attached=True)
    assert list(next_steps("shop", target, [Made(VolumeId("new"), "data", source)])) == [
        "# with a role in project shop:",
        "openstack server remove volume s1 old",
        "openstack server add volume s1 new",
    ]


def test_a_server_without_networks_is_booted_without_and_with_all_its_volumes() -> None:
    root = Made(VolumeId("r"), "root", Source(VolumeId("old"), bootable=True))
    data = Made(VolumeId("d"), "data", Source(VolumeId("older")))
    *_, boot = next_steps("shop", Target(ServerId("s1"), "web", "tiny", ()), [data, root])
    assert boot == (
        "openstack --os-compute-api-version 2.37 server create --flavor tiny --volume r"
        " --block-device uuid=d,source_type=volume,destination_type=volume,boot_index=-1"
        " --nic none --wait web-restored"
    )


def test_where_the_server_is_gone_the_flavor_is_left_for_people_to_choose() -> None:
    gone = Source(VolumeId("old"), bootable=True, server_name="web")
    *_, boot = next_steps("shop", None, [Made(VolumeId("r"), "root", gone)])
    assert boot == "openstack server create --flavor FLAVOR --volume r --wait web-restored"


def test_nothing_to_restore_needs_no_room() -> None:
    assert quota_problem([], {"volumes": 0, "per_volume_gigabytes": 0}) is None


def test_a_volume_without_a_type_is_counted_in_all_only() -> None:
    untyped = [NewVolume(name="n", size_gib=10)]
    assert quota_problem(untyped, {"gigabytes_fast": 0, "gigabytes": 10}) is None
