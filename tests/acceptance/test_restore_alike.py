"""A restored volume is like its source; what forbids that is said before anything is made."""

import shlex
from typing import Any

import pytest

from staffeln_cli.demo.simcloud import Request, SimCloud
from tests.acceptance.builders import a_volume, reasons, records, rounds, sent
from tests.build import MARKED
from tests.conftest import Staffeln

ALIKE = ("volume_type", "availability_zone", "size", "bootable")


def a_root_volume(cloud: SimCloud, **columns: Any) -> str:
    cloud.settings.volume_types = {"lvm": False, "fast": False, "sealed": True}
    wanted: dict[str, Any] = {"volume_type": "fast", "availability_zone": "az2", "size_gib": 3}
    wanted["bootable"] = True
    return a_volume(cloud, "root", **(wanted | columns))


def made(cloud: SimCloud) -> dict[str, Any]:
    (new,) = [one for one in cloud.volumes() if "_restored_" in one["name"]]
    return new


@pytest.mark.parametrize("is_gone", [False, True])
def test_the_new_volume_is_like_the_source(
    cloud: SimCloud, staffeln: Staffeln, is_gone: bool
) -> None:
    old = a_root_volume(cloud)
    cloud.things.set_volume(old, metadata={"purpose": "orders", "readonly": "False"})
    rounds(staffeln, cloud, 1)
    (source,) = cloud.volumes(id=old)
    if is_gone:
        cloud.things.remove_volume(old)
    answer = staffeln("restore", "--volume", old, "-f", "json")
    assert answer.exit_code == 0, answer.stdout
    new = made(cloud)
    assert {name: new[name] for name in ALIKE} == {name: source[name] for name in ALIKE}
    assert new["metadata"] == {"purpose": "orders"}


def test_type_and_zone_and_name_can_be_chosen(cloud: SimCloud, staffeln: Staffeln) -> None:
    old = a_root_volume(cloud)
    rounds(staffeln, cloud, 1)
    options = ("--type", "lvm", "--zone", "nova", "--name", "again")
    assert staffeln("restore", "--volume", old, *options).exit_code == 0
    (new,) = cloud.volumes(name="again")
    assert (new["volume_type"], new["availability_zone"]) == ("lvm", "nova")


def test_a_volume_that_has_grown_since_is_restored_as_large_as_it_is(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    old = a_root_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.things.set_volume(old, size=5)
    assert staffeln("restore", "--volume", old).exit_code == 0
    assert made(cloud)["size"] == 5


def test_a_type_that_is_gone_is_named_before_anything_is_made(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    old = a_root_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.settings.volume_types = {"lvm": False}
    answer = staffeln("restore", "--volume", old, "-f", "json")
    assert answer.exit_code == 3
    assert reasons(answer) == [
        "there is no volume type 'fast' any more; choose another with --type"
    ]
    assert sent(cloud, "POST", "/volumes") == []
    assert staffeln("restore", "--volume", old, "--type", "lvm").exit_code == 0


@pytest.mark.parametrize(
    ("source", "wanted", "said"),
    [
        ({"volume_type": "sealed", "encrypted": True}, "fast", "was encrypted, and volumes of"),
        ({"volume_type": "fast"}, "sealed", "was not encrypted, and volumes of type sealed are"),
    ],
)
def test_a_type_that_encrypts_otherwise_is_refused(
    cloud: SimCloud, staffeln: Staffeln, source: dict[str, Any], wanted: str, said: str
) -> None:
    old = a_root_volume(cloud, **source)
    rounds(staffeln, cloud, 1)
    answer = staffeln("restore", "--volume", old, "--type", wanted, "-f", "json")
    assert (answer.exit_code, said in reasons(answer)[0]) == (3, True)
    assert sent(cloud, "POST", "/volumes") == []
    assert staffeln("restore", "--volume", old).exit_code == 0


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"volumes": 1}, "its quota of volumes has room for 0, and 1 are needed"),
        ({"gigabytes": 5}, "its quota of gigabytes has room for 2, and 3 are needed"),
    ],
)
def test_a_quota_without_room_is_named_before_anything_is_made(
    cloud: SimCloud, staffeln: Staffeln, limits: dict[str, int], said: str
) -> None:
    old = a_root_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.people.set_quota("shop", **limits)
    answer = staffeln("restore", "--volume", old, "--dry-run", "-f", "json")
    assert (answer.exit_code, answer.counts["failed"]) == (3, 1)
    answer = staffeln("restore", "--volume", old, "-f", "json")
    assert reasons(answer) == [f"nothing was restored in it: {said}"]
    assert sent(cloud, "POST", "/volumes") == []


def test_a_backup_whose_chain_is_broken_is_refused(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 3)
    full, middle, last = records(staffeln)
    cloud.things.remove_backup(middle["backup_id"], force=True)
    answer = staffeln("restore", last["backup_id"], "-f", "json")
    assert answer.exit_code == 3
    assert reasons(answer)[0].startswith("a backup that it may depend on is missing")
    assert sent(cloud, "POST", "/volumes") == []
    assert staffeln("restore", full["backup_id"]).exit_code == 0


def test_a_volume_without_the_bootable_flag_is_told_with_the_command_that_sets_it(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    old = a_root_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.faults.fail_next("POST", "/action", status=403)
    answer = staffeln("restore", "--volume", old, "-f", "json")
    assert (answer.exit_code, answer.counts["restoring"]) == (3, 1)
    assert f"openstack volume set --bootable {made(cloud)['id']}" in reasons(answer)[0]


def test_the_commands_boot_a_server_from_its_restored_volumes(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_root_volume(cloud)
    server = cloud.world.server("root-server").id
    cloud.things.add_volume("data", project="shop", server=server)
    rounds(staffeln, cloud, 1)
    answer = staffeln("restore", "--server", "root-server", "-f", "json")
    assert answer.exit_code == 0, answer.stdout
    new = {one["name"].split("_")[0]: one["id"] for one in cloud.volumes() if "_" in one["name"]}
    head, boot = answer.json["next_steps"]
    assert head == "# with a role in project shop:"
    words = shlex.split(boot)
    assert words[:4] == ["openstack", "--os-compute-api-version", "2.37", "server"]
    assert words[words.index("--nic") + 1] == "none"
    assert words[words.index("--volume") + 1] == new["root"]
    assert words[words.index("--block-device") + 1].startswith(f"uuid={new['data']},")
    assert words[-1] == "root-server-restored"


def test_the_commands_exchange_a_data_volume_of_a_running_server(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    old = a_volume(cloud, "data")
    server = cloud.world.server("data-server").id
    rounds(staffeln, cloud, 1)
    answer = staffeln("restore", "--volume", "data")
    assert answer.stdout.splitlines()[-2:] == [
        f"openstack server remove volume {server} {old}",
        f"openstack server add volume {server} {made(cloud)['id']}",
    ]


def test_an_answer_about_another_server_fills_in_no_command(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_root_volume(cloud)
    rounds(staffeln, cloud, 1)
    server = cloud.world.server("root-server").id

    def mix_up(_: Request, body: dict[str, Any]) -> dict[str, Any]:
        body["server"]["id"] = "12e0c8b2-bad6-40fb-9948-8dec4f65d4d9"
        return body

    cloud.faults.edit_next(f"/servers/{server}$", mix_up, 1000)
    answer = staffeln("restore", "--volume", "root")
    assert answer.exit_code == 0
    assert "openstack server create --flavor FLAVOR --volume" in answer.stdout


def test_without_the_server_the_commands_are_to_be_completed(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_root_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.things.remove_server(cloud.world.server("root-server").id)
    answer = staffeln("restore", "--volume", "root")
    assert "openstack server create --flavor FLAVOR --volume" in answer.stdout


def test_a_server_may_be_named_and_several_of_a_name_are_listed(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    cloud.people.add_project("shop")
    ids = []
    for _ in range(2):
        ids.append(cloud.things.add_server("web", project="shop", metadata=MARKED))
        cloud.things.add_volume("data", project="shop", server=ids[-1])
    rounds(staffeln, cloud, 1)
    answer = staffeln("restore", "--server", "web")
    assert answer.exit_code == 2
    assert all(one in answer.stderr for one in ids)
    assert staffeln("restore", "--server", ids[0], "--dry-run").exit_code == 0


def test_a_quota_that_cannot_be_looked_up_keeps_back_its_own_project_only(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    ids = [a_volume(cloud, name, project=name) for name in ("shop", "bank")]
    rounds(staffeln, cloud, 1)
    bank = cloud.world.project("bank").id
    cloud.faults.fail_next("GET", f"/os-quota-sets/{bank}", status=400, times=9)
    chosen = [word for one in ids for word in ("--volume", one)]
    answer = staffeln("restore", *chosen, "-f", "json")
    assert (answer.exit_code, answer.counts["restoring"], answer.counts["failed"]) == (3, 1, 1)
    assert [one["id"] for one in answer.json["failures"]] == [bank]
