"""Lost servers and volumes: what is looked at before, what is made, and what is told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from staffeln_cli.commands.restore import RestoreRequest, run
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import Outcome
from staffeln_cli.planning.restoring import Overrides
from staffeln_cli.runtime import Runtime
from tests.acceptance.builders import changes
from tests.acceptance.lost_servers import a_whole_server, back, lose, wired
from tests.build import MARKED
from tests.integration.restore.conftest import backed_up, backed_up_and_lost


def recreated(runtime: Runtime, *, dry_run: bool = False, **more: Any) -> Outcome:
    """What comes of bringing server web back, or what else is named."""
    what = {} if "projects" in more else {"servers": ["web"]}
    return run(runtime, RestoreRequest(recreates=True, **what | more), dry_run=dry_run)


def of_project(runtime: Runtime, *, dry_run: bool = False, **more: Any) -> Outcome:
    return run(runtime, RestoreRequest(projects=["shop"], **more), dry_run=dry_run)


def told(outcome: Outcome) -> list[str]:
    return [f"{one.action} {one.name}: {one.reason}" for one in outcome.decisions]


def reasons(outcome: Outcome) -> list[str]:
    return [one.reason for one in outcome.failures]


def test_a_dry_run_says_what_would_be_made_and_what_differs(
    cloud: SimCloud, runtime: Runtime
) -> None:
    server = a_whole_server(cloud, key_name="ann", user_id="somebody")
    wired(cloud, server)
    backed_up_and_lost(cloud, runtime, server)
    cloud.world.networking.security_groups.clear()
    outcome = recreated(runtime, dry_run=True)
    first, *differences = told(outcome)
    assert first.startswith("recreate web: of web-root (1 GiB, backup of ")
    assert any("differs: key ann is one of user somebody" in one for one in differences)
    assert any("differs: security group web is gone" in one for one in differences)
    assert outcome.counts["restoring"] == 2
    assert changes(cloud) == []


def test_what_is_back_is_not_made_again(cloud: SimCloud, runtime: Runtime) -> None:
    backed_up_and_lost(cloud, runtime, a_whole_server(cloud))
    outcome = recreated(runtime)
    assert (outcome.exit_code, outcome.counts["recreated"]) == (0, 1), reasons(outcome)
    cloud.requests.clear()
    again = recreated(runtime)
    assert (again.exit_code, again.counts["recreated"]) == (0, 0)
    assert f"is back already, as {back(cloud)['id']}" in told(again)[0]
    assert changes(cloud) == []


def without_flavor(cloud: SimCloud) -> None:
    cloud.world.flavors.clear()


def without_network(cloud: SimCloud) -> None:
    cloud.world.networking.networks.clear()


def without_root(cloud: SimCloud) -> None:
    for backup in cloud.backups(size=1):
        cloud.things.remove_backup(backup["id"])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (without_flavor, "there is no flavor 'tiny' any more; choose another with --flavor"),
        (without_network, "there is no network 'inner' any more"),
        (without_root, "has no backup that can surely be restored"),
        (
            lambda cloud: cloud.people.set_compute_quota("shop", cores=0),
            "nothing was made in it: its quota of cores has room for 0",
        ),
        (
            lambda cloud: cloud.people.set_quota("shop", gigabytes=2),
            "its quota of gigabytes has room for 2",
        ),
        (
            lambda cloud: cloud.people.revoke("backup", "shop", "member"),
            "no access to project",
        ),
    ],
)
def test_what_forbids_it_is_told_before_anything_is_made(
    cloud: SimCloud, runtime: Runtime, spoil: Callable[[SimCloud], None], said: str
) -> None:
    server = a_whole_server(cloud)
    wired(cloud, server)
    backed_up_and_lost(cloud, runtime, server)
    spoil(cloud)
    outcome = recreated(runtime)
    assert outcome.exit_code == 3
    assert any(said in one for one in reasons(outcome)), reasons(outcome)
    assert changes(cloud) == []


def test_another_flavor_may_be_chosen_and_is_told(cloud: SimCloud, runtime: Runtime) -> None:
    backed_up_and_lost(cloud, runtime, a_whole_server(cloud))
    cloud.world.flavors.clear()
    cloud.networks.add_flavor("small")
    outcome = recreated(runtime, flavor="small", overrides=Overrides(availability_zone="nova"))
    assert outcome.exit_code == 0, reasons(outcome)
    assert back(cloud)["flavor"] == "small"
    assert any("differs: its flavor is small, not tiny" in one for one in told(outcome))


def test_a_server_that_exists_has_to_be_deleted_first(cloud: SimCloud, runtime: Runtime) -> None:
    a_whole_server(cloud)
    backed_up_and_lost(cloud, runtime)
    assert reasons(recreated(runtime))[0].startswith("it still exists, with status ACTIVE")
    assert "server create" in " ".join(recreated(runtime, prints=True).next_steps)
    assert changes(cloud) == []


def test_what_was_begun_for_another_moment_is_given_up_and_what_it_made_is_named(
    cloud: SimCloud, runtime: Runtime
) -> None:
    server = a_whole_server(cloud)
    backed_up_and_lost(cloud, runtime, server)
    cloud.advance(days=1)
    cloud.faults.fail_next("POST", "/servers$", status=400)
    assert recreated(runtime).exit_code == 3
    earlier = [one["id"] for one in cloud.volumes()]
    outcome = recreated(runtime, at=cloud.now())
    assert outcome.exit_code == 0, reasons(outcome)
    assert all(f"openstack volume delete {one}" in " ".join(told(outcome)) for one in earlier)
    assert set(cloud.world.attached[back(cloud)["id"]]).isdisjoint(earlier)


def test_of_two_servers_of_a_name_the_lost_one_is_meant(cloud: SimCloud, runtime: Runtime) -> None:
    lost, kept = a_whole_server(cloud), a_whole_server(cloud)
    backed_up_and_lost(cloud, runtime, lost)
    assert recreated(runtime).counts["recreated"] == 1
    assert len(cloud.servers(name="web")) == 2
    lose(cloud, kept)
    outcome = recreated(runtime)
    assert outcome.exit_code == 2
    assert lost in (outcome.note or "")
    assert kept in (outcome.note or "")


def test_what_was_begun_is_carried_on(cloud: SimCloud, runtime: Runtime) -> None:
    backed_up_and_lost(cloud, runtime, a_whole_server(cloud))
    cloud.faults.fail_next("POST", "/servers$", status=400)
    assert recreated(runtime).exit_code == 3
    assert any("would be carried on" in one for one in told(recreated(runtime, dry_run=True)))
    assert recreated(runtime).exit_code == 0
    assert len(cloud.volumes()) == 2


def test_while_another_run_brings_servers_back_nothing_is_done(
    cloud: SimCloud, runtime: Runtime
) -> None:
    backed_up_and_lost(cloud, runtime, a_whole_server(cloud))
    with runtime.lock("restore"):
        outcome = recreated(runtime)
    assert outcome.exit_code == 3
    assert "another run brings servers back now" in (outcome.note or "")
    assert changes(cloud) == []


def test_the_commands_restore_and_boot_and_nothing_is_made(
    cloud: SimCloud, runtime: Runtime
) -> None:
    server = a_whole_server(cloud)
    wired(cloud, server)
    cloud.things.add_volume("loose", project="shop", metadata=MARKED)
    backed_up_and_lost(cloud, runtime, server)
    cloud.things.remove_volume("loose")
    lines = list(of_project(runtime, prints=True).next_steps)
    assert any(line.startswith("# server web, with a role in project shop") for line in lines)
    assert "# volume loose, with a role in project shop:" in lines
    assert any("ip-address=10.0.0.9" in line for line in lines)
    assert changes(cloud) == []


class TestAProject:
    def test_has_its_lost_servers_and_loose_volumes_back_and_others_are_left_alone(
        self, cloud: SimCloud, runtime: Runtime
    ) -> None:
        servers = [a_whole_server(cloud, name) for name in ("web", "db")]
        a_whole_server(cloud, "kept")
        cloud.things.add_volume("loose", project="shop", metadata=MARKED)
        backed_up_and_lost(cloud, runtime, *servers)
        cloud.things.remove_volume("loose")
        outcome = of_project(runtime)
        assert outcome.exit_code == 0, reasons(outcome)
        assert (outcome.counts["restored"], outcome.counts["recreated"]) == (5, 2)
        assert {one["name"] for one in cloud.servers()} == {"web", "db", "kept"}

    def test_has_a_volume_back_for_its_server_that_is_still_there(
        self, cloud: SimCloud, runtime: Runtime
    ) -> None:
        server = a_whole_server(cloud)
        backed_up(cloud, runtime)
        cloud.things.remove_volume("web-data")
        last = told(of_project(runtime))[-1]
        (new,) = [one["id"] for one in cloud.volumes() if one["name"].startswith("web-data_")]
        assert last.endswith(f": openstack server add volume {server} {new}")

    def test_has_the_smallest_back_first_where_no_drill_has_measured_anything(
        self, cloud: SimCloud, runtime: Runtime
    ) -> None:
        large, small = a_whole_server(cloud, "large"), a_whole_server(cloud, "small")
        cloud.things.add_volume("more", server=large, size_gib=9)
        backed_up_and_lost(cloud, runtime, large, small)
        lines = told(of_project(runtime, dry_run=True))
        assert [one.split(":")[0] for one in lines if one.startswith("recreate")] == [
            "recreate small",
            "recreate large",
        ]
        assert any("no restore drill has measured how long that takes" in one for one in lines)

    def test_lacks_on_what_it_has_lacked_for_long_and_the_command_is_named(
        self, cloud: SimCloud, runtime: Runtime
    ) -> None:
        old, new = a_whole_server(cloud, "old"), a_whole_server(cloud, "new")
        backed_up_and_lost(cloud, runtime, old)
        backed_up(cloud, runtime)
        cloud.advance(days=9)
        backed_up(cloud, runtime)  # now they are known to be gone
        cloud.advance(days=9)
        lose(cloud, new)
        outcome = of_project(runtime, dry_run=True)
        (left,) = [one for one in told(outcome) if one.startswith("leave old")]
        assert left.endswith(f"staffeln restore --server {old} --recreate")
        assert any(one.startswith("recreate new") for one in told(outcome))

    def test_has_the_others_back_where_one_fails(self, cloud: SimCloud, runtime: Runtime) -> None:
        servers = [a_whole_server(cloud, name) for name in ("web", "db")]
        backed_up_and_lost(cloud, runtime, *servers)
        cloud.faults.fail_next("POST", "/servers$", status=400)
        outcome = of_project(runtime)
        assert (outcome.exit_code, outcome.counts["recreated"]) == (3, 1)
        again = of_project(runtime)
        assert (again.exit_code, again.counts["recreated"]) == (0, 1)
        assert len(cloud.volumes()) == 4


class TestAWaitForRestoredVolumes:
    def waited(self, runtime: Runtime, *volumes: str) -> Outcome:
        return run(runtime, RestoreRequest(volumes=volumes, wait=True))

    def test_ends_when_all_can_be_used(self, cloud: SimCloud, runtime: Runtime) -> None:
        a_whole_server(cloud)
        backed_up(cloud, runtime)
        began = cloud.now()
        outcome = self.waited(runtime, "web-root", "web-data")
        assert (outcome.exit_code, outcome.counts["restored"]) == (0, 2)
        assert timedelta(minutes=1) <= cloud.now() - began < timedelta(minutes=5)

    @pytest.mark.parametrize("end", ["ended in status error_restoring", "is gone"])
    def test_tells_what_came_to_nothing(self, cloud: SimCloud, runtime: Runtime, end: str) -> None:
        a_whole_server(cloud)
        backed_up(cloud, runtime)
        before = {one["id"] for one in cloud.volumes()}

        def spoil(request: Any) -> None:
            item = request.path.rpartition("/")[2]
            if request.method != "GET" or item not in cloud.world.volumes or item in before:
                return
            cloud.on_request = None
            if end == "is gone":
                cloud.things.remove_volume(item)
            else:
                cloud.steering.fail_restores()

        cloud.on_request = spoil
        outcome = self.waited(runtime, "web-data")
        assert (outcome.exit_code, outcome.counts["failed"]) == (3, 1)
        assert reasons(outcome)[0].endswith(end)


def test_a_volume_is_named_that_may_not_be_made_bootable(
    cloud: SimCloud, runtime: Runtime
) -> None:
    a_whole_server(cloud)
    backed_up(cloud, runtime)
    cloud.faults.fail_next("POST", "/action$", status=403)
    outcome = run(runtime, RestoreRequest(volumes=["web-root"]))
    assert outcome.counts["restoring"] == 1, "the volume is whole without it"
    assert "see to it: openstack volume set --bootable" in reasons(outcome)[0]


@pytest.mark.parametrize("acting", [True, False])
def test_a_lost_reply_is_looked_for_by_name_and_never_sent_again(
    cloud: SimCloud, runtime: Runtime, acting: bool
) -> None:
    a_whole_server(cloud)
    backed_up(cloud, runtime)
    cloud.faults.lose_reply_next("POST", "/volumes$", acting=acting)
    outcome = run(runtime, RestoreRequest(volumes=["web-data"]))
    assert len(cloud.volumes()) == 2 + acting
    assert outcome.counts["restoring"] == int(acting)
    if not acting:
        assert "before you try again" in reasons(outcome)[0]
