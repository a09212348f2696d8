"""What goes wrong on demand goes wrong exactly so, and exactly as often."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from keystoneauth1 import exceptions

if TYPE_CHECKING:
    from staffeln_cli.demo.simcloud import Request, SimCloud
    from tests.integration.simcloud.conftest import Client, LogIn

LIST = "/backups/detail"


def test_a_fault_strikes_as_often_as_it_was_made_for(cloud: SimCloud, sim: Client) -> None:
    cloud.faults.fail_next("GET", LIST, status=503, headers={"Retry-After": "7"}, times=2)
    replies = [sim.volume_api("GET", LIST) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [503, 503, 200]
    assert replies[0].headers["Retry-After"] == "7"
    assert replies[0].json()["serviceUnavailable"]["code"] == 503


def test_a_fault_spares_other_methods_and_paths(cloud: SimCloud, sim: Client) -> None:
    cloud.faults.fail_next("POST", LIST, status=503)
    cloud.faults.fail_next("GET", "/volumes/detail", status=503)
    assert sim.volume_api("GET", LIST).status_code == 200


def test_a_fault_can_wait_for_a_later_page(cloud: SimCloud, sim: Client) -> None:
    for number in range(3):
        cloud.things.add_volume(f"v{number}")
    cloud.settings.max_limit = 2
    cloud.faults.fail_next(
        "GET", r"/volumes/detail\?.*marker=", status=500, body="<html>gone</html>"
    )
    body = sim.volume_api("GET", "/volumes/detail?all_tenants=1").json()
    reply = sim.volume_api("GET", body["volumes_links"][0]["href"])
    assert (reply.status_code, reply.text) == (500, "<html>gone</html>")


def test_rows_can_be_left_out_of_a_listing_and_are_found_by_id(
    cloud: SimCloud, sim: Client
) -> None:
    here, lacking = cloud.things.add_volume("here"), cloud.things.add_volume("lacking")
    cloud.faults.omit_next("/volumes/detail", [lacking])
    listings = [sim.list_all("/volumes/detail", "volumes") for _ in range(2)]
    assert [{row["id"] for row in rows} for rows in listings] == [{here}, {here, lacking}]
    assert sim.volume_api("GET", f"/volumes/{lacking}").status_code == 200


def test_a_proxys_404_is_plain_text(cloud: SimCloud, sim: Client) -> None:
    volume = cloud.things.add_volume("v")
    cloud.faults.proxy_404_next("GET", f"/volumes/{volume}")
    replies = [sim.volume_api("GET", f"/volumes/{volume}") for _ in range(2)]
    assert [reply.status_code for reply in replies] == [404, 200]
    assert replies[0].headers["Content-Type"].startswith("text/plain")


def test_a_delayed_request_is_answered_in_the_end(cloud: SimCloud, sim: Client) -> None:
    sim.volume_api("GET", LIST)
    cloud.faults.delay_next("GET", LIST, 0.2)
    started = time.monotonic()
    assert sim.volume_api("GET", LIST).status_code == 200
    assert time.monotonic() - started >= 0.2


def test_latency_slows_every_request(cloud: SimCloud, sim: Client) -> None:
    sim.volume_api("GET", LIST)
    cloud.settings.latency = 0.1
    started = time.monotonic()
    sim.volume_api("GET", LIST)
    assert time.monotonic() - started >= 0.1


def test_a_request_that_hangs_ends_by_the_clients_patience(cloud: SimCloud, log_in: LogIn) -> None:
    impatient = log_in(api_timeout=0.3)
    impatient.volume_api("GET", LIST)
    cloud.faults.hang_next("GET", LIST)
    with pytest.raises(exceptions.ConnectTimeout):
        impatient.volume_api("GET", LIST)
    assert impatient.volume_api("GET", LIST).status_code == 200


def test_a_request_that_hangs_may_have_been_carried_out(cloud: SimCloud, log_in: LogIn) -> None:
    volume = cloud.things.add_volume("v")
    impatient = log_in(api_timeout=0.3)
    cloud.faults.hang_next("POST", "/backups$", acting=True)
    with pytest.raises(exceptions.ConnectTimeout):
        impatient.create(volume)
    assert [backup["status"] for backup in cloud.backups()] == ["creating"]


@pytest.mark.parametrize(("acting", "made"), [(True, 1), (False, 0)])
def test_a_lost_reply_is_lost_after_acting_or_before(
    cloud: SimCloud, sim: Client, acting: bool, made: int
) -> None:
    volume = cloud.things.add_volume("v")
    cloud.faults.lose_reply_next("POST", "/backups$", acting=acting)
    with pytest.raises(exceptions.ConnectFailure):
        sim.create(volume)
    assert len(cloud.backups()) == made
    assert cloud.requests[-1].lost or cloud.requests[-1].status is None


def test_a_reset_is_a_reset(cloud: SimCloud, sim: Client) -> None:
    cloud.faults.reset_next("GET", LIST)
    with pytest.raises(exceptions.ConnectFailure, match=r"[Rr]eset"):
        sim.volume_api("GET", LIST)
    assert sim.volume_api("GET", LIST).status_code == 200


def test_a_cloud_that_is_down_refuses_connections(cloud: SimCloud, sim: Client) -> None:
    sim.volume_api("GET", LIST)
    with cloud.down(), pytest.raises(exceptions.ConnectFailure, match=r"refused|aborted"):
        sim.volume_api("GET", LIST)
    assert sim.volume_api("GET", LIST).status_code == 200


def test_going_down_twice_is_going_down_once(cloud: SimCloud, sim: Client) -> None:
    cloud.refuse_connections()
    cloud.refuse_connections()
    cloud.accept_connections()
    cloud.accept_connections()
    assert sim.volume_api("GET", LIST).status_code == 200


def test_hooks_run_before_acting_and_before_the_answer(cloud: SimCloud, sim: Client) -> None:
    volume = cloud.things.add_volume("v")
    seen: list[tuple[str, int]] = []

    def before(request: Request) -> None:
        if request.method == "POST" and request.path.endswith("/backups"):
            seen.append(("before", len(cloud.backups())))

    def after(request: Request) -> None:
        if request.method == "POST" and request.path.endswith("/backups"):
            seen.append((f"after {request.status}", len(cloud.backups())))

    cloud.on_request, cloud.on_reply = before, after
    sim.backup(volume)
    assert seen == [("before", 0), ("after 202", 1)]


def test_every_request_is_remembered_with_its_end(cloud: SimCloud, sim: Client) -> None:
    volume = cloud.things.add_volume("v")
    sim.backup(volume, name="n")
    request = cloud.requests[-1]
    assert (request.method, request.status) == ("POST", 202)
    assert request.path == f"/volume/v3/{request.project_id}/backups"
    assert request.body["backup"]["name"] == "n"
    assert cloud.now() >= request.at


def test_a_refused_deletion_is_remembered(cloud: SimCloud, sim: Client) -> None:
    volume = cloud.things.add_volume("v")
    full = cloud.things.add_backup(volume)
    cloud.things.add_backup(volume, incremental=True)
    sim.delete(full)
    assert [request.path.split("/")[-1] for request in cloud.refused_deletes()] == [full]


def statuses(cloud: SimCloud, sim: Client, count: int) -> list[object]:
    found: list[object] = []
    for _ in range(count):
        try:
            found.append(sim.volume_api("GET", LIST).status_code)
        except exceptions.ConnectFailure as failure:
            found.append(type(failure).__name__)
    return found


def test_chaos_is_the_same_for_the_same_seed(cloud: SimCloud, sim: Client) -> None:
    sim.volume_api("GET", LIST)
    kinds = ("lost", "503", "429", "reset", "slow")
    cloud.faults.chaos(0.5, seed=7, kinds=kinds)
    first = statuses(cloud, sim, 30)
    cloud.faults.chaos(0.5, seed=7, kinds=kinds)
    assert statuses(cloud, sim, 30) == first
    assert {200, 503, 429, "ConnectFailure"} <= set(first)


def test_chaos_ends_when_its_rate_is_nought(cloud: SimCloud, sim: Client) -> None:
    cloud.faults.chaos(1.0, kinds=("503",))
    cloud.faults.chaos(0)
    assert statuses(cloud, sim, 5) == [200] * 5


def test_an_expired_token_is_renewed_by_the_client(cloud: SimCloud, sim: Client) -> None:
    sim.volume_api("GET", LIST)
    cloud.faults.chaos(1.0, kinds=("expired",))
    cloud.steering.expire_tokens()
    cloud.faults.chaos(0)
    assert sim.volume_api("GET", LIST).status_code == 200
    assert [request.status for request in cloud.requests[-3:]] == [401, 201, 200]


def test_many_clients_at_once_make_what_they_asked_for(cloud: SimCloud, sim: Client) -> None:
    volumes = [cloud.things.add_volume(f"v{number}") for number in range(40)]
    sim.volume_api("GET", LIST)
    threads = [threading.Thread(target=sim.backup, args=(volume,)) for volume in volumes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {backup["volume_id"] for backup in cloud.backups()} == set(volumes)
    assert cloud.world.usage[cloud.world.project("backup").id] == (40, 40)
