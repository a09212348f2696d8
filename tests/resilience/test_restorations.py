"""A server that is being brought back survives the death of the process at every step."""

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.lost_servers import (
    a_whole_server,
    back,
    backed_up_and_lost,
    volumes_on,
    wired,
)
from tests.conftest import Staffeln
from tests.resilience.conftest import IS_SOAK
from tests.resilience.hosts import Host
from tests.resilience.test_catalog import killed_at


@pytest.mark.parametrize(
    ("options", "stride"),
    [(("--server", "web", "--recreate"), 3), (("--project", "shop"), 6)],
)
def test_a_recreation_that_is_killed_is_gone_on_with_and_makes_nothing_twice(
    cloud: SimCloud, host: Host, staffeln: Staffeln, options: tuple[str, ...], stride: int
) -> None:
    host = host.set(CLOUD_SETTLE_TIME="1s")
    staffeln.set(CLOUD_SETTLE_TIME="1s", BACKUP_MIN_INTERVAL="0s")
    server = a_whole_server(cloud)
    network = wired(cloud, server)
    backed_up_and_lost(cloud, staffeln, server)
    for step in range(1, 200, 1 if IS_SOAK else stride):
        was_killed = killed_at(cloud, host, step, "restore", *options)
        done = staffeln("restore", *options, "-f", "json")
        assert done.exit_code == 0, (step, done.stderr)
        new = back(cloud)["id"]
        assert volumes_on(cloud, new) == ["web-root", "web-data"], step
        assert len(cloud.volumes()) == 2, step
        assert [one.network_id for one in cloud.world.networking.ports.values()] == [network]
        if not was_killed:
            return
        for volume in cloud.world.attached[new][:]:
            cloud.things.detach(volume, new)
            cloud.things.remove_volume(volume)
        cloud.things.remove_server(new)
    raise AssertionError("the recreation never ends")
