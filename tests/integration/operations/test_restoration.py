"""A restoration is carried on from wherever it stands, and each part of it is made once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from staffeln_cli.demo.simcloud import Request, SimCloud
from staffeln_cli.errors import RestorationFailed, Stopped
from staffeln_cli.model.restorations import RESTORATION_KEY, RestorationState
from staffeln_cli.operations.restoration import carry_on, restored_id
from staffeln_cli.runtime import Run
from tests.acceptance.builders import changes, sent
from tests.integration.conftest import Begin
from tests.integration.operations.restorations import (
    PORT,
    SERVER,
    a_backup,
    begun,
    of_volume,
    parts_of,
)

pytestmark = pytest.mark.usefixtures("restores_take_no_time")


def at_first_look(cloud: SimCloud, path: str, happens: Callable[[str], object]) -> None:
    """Have something happen when a new thing is looked at for the first time."""

    def hook(request: Request) -> None:
        place, _, item = request.path.rpartition("/")
        if request.method == "GET" and place.endswith(path) and item != "detail":
            cloud.on_request = None
            happens(item)

    cloud.on_request = hook


def test_volumes_and_ports_come_before_the_server_that_has_them(
    cloud: SimCloud, run: Run, network: str
) -> None:
    root = of_volume(a_backup(cloud, bootable=True), bootable=True)
    data = of_volume(a_backup(cloud, "data"), "data", is_root=False, deleted_with_server=True)
    restoration = begun(run, cloud, volumes=[root, data], ports=[PORT], server=SERVER)
    back = carry_on(run, restoration)
    (server,) = cloud.servers()
    assert (back.id, back.volumes, back.differences) == (server["id"], 2, [])
    assert server["metadata"] == {"role": "web", RESTORATION_KEY: "r1"}
    root_id, data_id, port_id, _ = (part.made_id for part in parts_of(run, restoration))
    assert cloud.world.attached[server["id"]] == [root_id, data_id]
    assert server["deletes_volumes"] == {data_id}
    assert [port.id for port in cloud.world.networking.ports_of(server["id"])] == [port_id]
    newest = run.store.restorations.newest("lost")
    assert newest is not None
    assert newest.state is RestorationState.DONE
    assert restored_id(run, restoration) == server["id"]


def test_what_is_made_already_is_not_asked_for_again(cloud: SimCloud, run: Run) -> None:
    root = of_volume(a_backup(cloud, bootable=True), bootable=True)
    restoration = begun(run, cloud, volumes=[root], server=SERVER)
    first = carry_on(run, restoration)
    cloud.requests.clear()
    assert carry_on(run, restoration) == first
    assert changes(cloud) == []


def test_a_volume_alone_is_back_as_a_volume(cloud: SimCloud, run: Run) -> None:
    restoration = begun(run, cloud, volumes=[of_volume(a_backup(cloud))])
    back = carry_on(run, restoration)
    (volume,) = cloud.volumes()
    assert (back.id, volume["name"]) == (volume["id"], "restored-root")
    assert volume["metadata"]["user"] == "ann"
    assert restored_id(run, restoration) == back.id
    cloud.things.remove_volume(back.id)
    assert restored_id(run, restoration) is None


def test_nothing_is_back_before_anything_was_made(cloud: SimCloud, run: Run) -> None:
    assert restored_id(run, begun(run, cloud, volumes=[of_volume("b1")])) is None


@pytest.mark.parametrize("path", ["/volumes$", "/servers$", "/ports$"])
@pytest.mark.parametrize("acting", [True, False])
def test_a_lost_reply_is_looked_for_by_its_name_and_nothing_is_made_twice(
    cloud: SimCloud, run: Run, network: str, path: str, acting: bool
) -> None:
    root = of_volume(a_backup(cloud, bootable=True), bootable=True)
    restoration = begun(run, cloud, volumes=[root], ports=[PORT], server=SERVER)
    cloud.faults.lose_reply_next("POST", path, acting=acting)
    if not acting:
        with pytest.raises(RestorationFailed, match="it looks whether that was made after all"):
            carry_on(run, restoration)
    carry_on(run, restoration)
    assert cloud.faults.waiting == []
    assert len(cloud.volumes()) == len(cloud.servers()) == 1
    assert len(cloud.world.networking.ports) == 1


def test_a_request_of_unknown_end_is_made_again_only_after_the_settle_time(
    cloud: SimCloud, begin: Begin
) -> None:
    run = begin(CLOUD_SETTLE_TIME="1min")
    restoration = begun(run, cloud, volumes=[of_volume(a_backup(cloud))])
    cloud.faults.lose_reply_next("POST", "/volumes$", acting=False)
    with pytest.raises(RestorationFailed, match="it looks whether that was made after all"):
        carry_on(run, restoration)
    began = cloud.now()
    carry_on(run, restoration)
    assert timedelta(minutes=1) <= cloud.now() - began < timedelta(minutes=2)
    assert len(cloud.volumes()) == 1


def test_a_late_arrival_is_found_within_the_settle_time(cloud: SimCloud, begin: Begin) -> None:
    run = begin(CLOUD_SETTLE_TIME="1min")
    restoration = begun(run, cloud, volumes=[of_volume(a_backup(cloud))])
    cloud.faults.lose_reply_next("POST", "/volumes$", acting=True)
    cloud.faults.edit_next("/volumes/detail", lambda _, body: body | {"volumes": []})
    with pytest.raises(RestorationFailed):
        carry_on(run, restoration)
    carry_on(run, restoration)
    assert len(sent(cloud, "POST", "/volumes")) == len(cloud.volumes()) == 1


def test_a_refused_part_leaves_nothing_to_look_for(cloud: SimCloud, run: Run) -> None:
    restoration = begun(run, cloud, volumes=[of_volume(a_backup(cloud))])
    cloud.faults.fail_next("POST", "/volumes$", status=403)
    with pytest.raises(RestorationFailed, match="volume restored-root: HTTP 403"):
        carry_on(run, restoration)
    assert parts_of(run, restoration)[0].requested_at is None
    carry_on(run, restoration)


def test_restored_volumes_are_waited_for(cloud: SimCloud, run: Run) -> None:
    cloud.settings.restore_pace = timedelta(minutes=3)
    began = cloud.now()
    carry_on(run, begun(run, cloud, volumes=[of_volume(a_backup(cloud))]))
    assert timedelta(minutes=3) <= cloud.now() - began < timedelta(minutes=4)


def test_restored_volumes_are_given_up_after_two_days(cloud: SimCloud, run: Run) -> None:
    cloud.settings.restore_pace = timedelta(days=9)
    restoration = begun(run, cloud, volumes=[of_volume(a_backup(cloud))])
    at_first_look(cloud, "/volumes", lambda _: cloud.advance(days=2))
    with pytest.raises(RestorationFailed, match="is still restoring-backup"):
        carry_on(run, restoration)


@pytest.mark.parametrize("end", ["error_restoring", "gone"])
def test_restored_volumes_that_come_to_nothing_are_told_and_made_again_under_another_name(
    cloud: SimCloud, run: Run, end: str
) -> None:
    cloud.settings.restore_pace = timedelta(hours=1)
    restoration = begun(run, cloud, volumes=[of_volume(a_backup(cloud))])

    def spoil(volume_id: str) -> None:
        if end == "gone":
            cloud.things.remove_volume(volume_id)
        else:
            cloud.steering.fail_restores()

    at_first_look(cloud, "/volumes", spoil)
    said = "is gone; repeat" if end == "gone" else "is in status error_restoring; delete it"
    with pytest.raises(RestorationFailed, match=said):
        carry_on(run, restoration)
    cloud.settings.restore_pace = timedelta(0)
    back = carry_on(run, restoration)
    (part,) = parts_of(run, restoration)
    assert part.name.startswith("root")
    assert (part.made_id, cloud.volumes(id=back.id)[0]["name"]) == (back.id, part.name)


def test_restored_volumes_get_the_bootable_flag_that_a_restore_loses(
    cloud: SimCloud, run: Run
) -> None:
    wanted = of_volume(a_backup(cloud, bootable=True), bootable=True)
    back = carry_on(run, begun(run, cloud, volumes=[wanted]))
    assert cloud.volumes(id=back.id)[0]["bootable"]


def test_restored_volumes_that_may_not_be_marked_as_bootable_are_told_with_the_command(
    cloud: SimCloud, run: Run
) -> None:
    wanted = of_volume(a_backup(cloud, bootable=True), bootable=True)
    restoration = begun(run, cloud, volumes=[wanted])
    cloud.faults.fail_next("POST", "/action$", status=403)
    with pytest.raises(RestorationFailed, match="openstack volume set --bootable"):
        carry_on(run, restoration)


def wanted(cloud: SimCloud, run: Run) -> Any:
    root = of_volume(a_backup(cloud, bootable=True), bootable=True)
    return begun(run, cloud, volumes=[root], server=SERVER)


def test_the_server_is_waited_for_until_it_is_active(cloud: SimCloud, run: Run) -> None:
    def build(server: str) -> None:
        cloud.things.set_server(server, status="BUILD")
        at_first_look(cloud, "/servers", lambda one: cloud.things.set_server(one, status="ACTIVE"))

    restoration = wanted(cloud, run)
    at_first_look(cloud, "/servers", build)
    back = carry_on(run, restoration)
    assert cloud.servers(id=back.id)[0]["status"] == "ACTIVE"


def test_the_server_is_given_up_after_half_an_hour_and_waited_on_by_a_repetition(
    cloud: SimCloud, run: Run
) -> None:
    restoration, began = wanted(cloud, run), cloud.now()
    at_first_look(cloud, "/servers", lambda one: cloud.things.set_server(one, status="BUILD"))
    with pytest.raises(RestorationFailed, match="is still BUILD; repeat the command"):
        carry_on(run, restoration)
    assert timedelta(minutes=30) < cloud.now() - began < timedelta(minutes=31)
    (server,) = cloud.servers()
    cloud.things.set_server(server["id"], status="ACTIVE")
    assert carry_on(run, restoration).id == server["id"]


def test_the_server_that_cannot_run_is_told_with_its_fault_and_its_volumes_are_kept(
    cloud: SimCloud, run: Run
) -> None:
    restoration = wanted(cloud, run)
    cloud.settings.boot_fault = "No valid host was found."
    with pytest.raises(RestorationFailed, match=r"is ERROR: No valid host was found\."):
        carry_on(run, restoration)
    cloud.settings.boot_fault = None
    (failed,) = cloud.servers()
    cloud.things.remove_server(failed["id"])
    assert carry_on(run, restoration).id != failed["id"]
    assert len(cloud.volumes()) == 1


def test_the_server_that_somebody_deletes_meanwhile_is_told(cloud: SimCloud, run: Run) -> None:
    restoration = wanted(cloud, run)
    at_first_look(cloud, "/servers", cloud.things.remove_server)
    with pytest.raises(RestorationFailed, match="is DELETED; delete it"):
        carry_on(run, restoration)


def test_the_server_is_no_longer_waited_for_after_a_signal(cloud: SimCloud, run: Run) -> None:
    restoration = wanted(cloud, run)

    def interrupted(server: str) -> None:
        cloud.things.set_server(server, status="BUILD")
        run.runtime.stop.signal_number = 15

    at_first_look(cloud, "/servers", interrupted)
    with pytest.raises(Stopped):
        carry_on(run, restoration)
