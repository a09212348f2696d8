"""The boot of a restored volume: what proves it, and what says nothing about the backup."""

from datetime import timedelta

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import DrillState, ProofLevel
from staffeln_cli.runtime import Run
from tests.acceptance.builders import sent
from tests.integration.conftest import Begin
from tests.integration.operations.drills import carried_on, left, planned, step

LOGIN = "Ubuntu 24.04.3 LTS orders ttyS0\n\norders login: "

pytestmark = pytest.mark.usefixtures("restores_take_no_time")


@pytest.fixture
def booting(cloud: SimCloud, begin: Begin) -> Run:
    """A run that boots what is bootable, and waits a minute for it."""
    cloud.settings.console = LOGIN
    return begin(CLOUD_SETTLE_TIME="1min", VERIFY_BOOT="tiny", VERIFY_BOOT_TIMEOUT="1min")


def test_a_boot_is_proven_by_what_the_console_shows(cloud: SimCloud, booting: Run) -> None:
    ended = carried_on(booting, planned(booting, cloud, bootable=True))
    assert (ended.state, ended.level) == (DrillState.PASSED, ProofLevel.BOOTED)
    assert (ended.console or "").endswith("orders login:")
    assert left(cloud) == []


def test_a_boot_is_not_tried_with_a_volume_that_is_not_bootable(
    cloud: SimCloud, booting: Run
) -> None:
    ended = carried_on(booting, planned(booting, cloud))
    assert (ended.level, sent(cloud, "POST", "/servers")) == (ProofLevel.RESTORED, [])


def test_a_boot_that_shows_something_else_has_failed_the_second_time(
    cloud: SimCloud, booting: Run
) -> None:
    cloud.settings.console = "GRUB loading.\nKernel panic\x1b[31m - not syncing"
    ended = carried_on(booting, planned(booting, cloud, bootable=True, attempt=2))
    assert ended.state is DrillState.FAILED
    assert "did not boot within 1min" in (ended.reason or "")
    assert "Kernel panic" in (ended.reason or "")
    assert "\x1b" not in (ended.reason or "") + (ended.console or "")
    assert left(cloud) == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"console": ""}, "after 1min its console had shown nothing"),
        ({"boot_fault": "No valid host was found."}, "No valid host was found"),
    ],
)
def test_a_boot_that_says_nothing_about_the_backup_leaves_the_proof_of_the_restore(
    cloud: SimCloud, booting: Run, settings: dict[str, str], said: str
) -> None:
    for name, value in settings.items():
        setattr(cloud.settings, name, value)
    ended = carried_on(booting, planned(booting, cloud, bootable=True))
    assert (ended.state, ended.level) == (DrillState.PASSED, ProofLevel.RESTORED)
    assert said in (ended.reason or "")
    assert left(cloud) == []


def test_a_boot_that_nova_does_not_begin_leaves_the_proof_of_the_restore(
    cloud: SimCloud, booting: Run
) -> None:
    drill = planned(booting, cloud, bootable=True)

    def build() -> None:
        for one in cloud.servers():
            cloud.things.set_server(one["id"], status="BUILD")

    cloud.on_request = lambda _: build()
    ended = carried_on(booting, drill)
    assert "after 1min the server was still BUILD" in (ended.reason or "")


def test_a_boot_that_nova_refuses_leaves_the_proof_of_the_restore(
    cloud: SimCloud, booting: Run
) -> None:
    cloud.faults.fail_next("POST", "/servers$", status=403)
    ended = carried_on(booting, planned(booting, cloud, bootable=True))
    assert (ended.state, ended.level) == (DrillState.PASSED, ProofLevel.RESTORED)
    assert "Nova refused the server: HTTP 403" in (ended.reason or "")


def test_a_boot_whose_reply_is_lost_is_found_by_its_name(cloud: SimCloud, booting: Run) -> None:
    cloud.faults.lose_reply_next("POST", "/servers$", acting=True)
    ended = carried_on(booting, planned(booting, cloud, bootable=True))
    assert ended.level is ProofLevel.BOOTED
    assert left(cloud) == []


def test_a_boot_that_never_reached_nova_leaves_the_proof_of_the_restore(
    cloud: SimCloud, booting: Run
) -> None:
    cloud.faults.lose_reply_next("POST", "/servers$", acting=False)
    ended = carried_on(booting, planned(booting, cloud, bootable=True))
    assert "the request to boot it never reached Nova" in (ended.reason or "")


def test_a_boot_whose_server_somebody_deletes_leaves_the_proof_of_the_restore(
    cloud: SimCloud, booting: Run
) -> None:
    cloud.settings.console = "still booting"
    drill = carried_on(booting, planned(booting, cloud, bootable=True), timedelta(seconds=1))
    cloud.things.remove_server(drill.scratch_server_id or "")
    ended = carried_on(booting, drill)
    assert "somebody else deleted the scratch server" in (ended.reason or "")
    assert (ended.state, left(cloud)) == (DrillState.PASSED, [])


def test_a_boot_that_another_process_began_is_followed_by_the_servers_name(
    cloud: SimCloud, booting: Run
) -> None:
    cloud.settings.console = "still booting"
    cloud.faults.lose_reply_next("POST", "/servers$", acting=True)
    drill = step(booting, planned(booting, cloud, bootable=True))
    assert drill.scratch_server_id is None
    cloud.settings.console = LOGIN
    assert carried_on(booting, drill).level is ProofLevel.BOOTED
    assert len(sent(cloud, "POST", "/v2.1/servers")) == 2  # one asks for the console


def test_a_boot_of_which_a_run_that_boots_nothing_knows_no_end_leaves_the_proof_of_the_restore(
    cloud: SimCloud, run: Run, booting: Run
) -> None:
    cloud.faults.lose_reply_next("POST", "/servers$", acting=True)
    step(booting, planned(booting, cloud, bootable=True))
    booting.store.drills.release(booting.id)
    (drill,) = run.store.drills.claim_left(run.claim())
    ended = carried_on(run, drill)
    assert (ended.level, ended.reason) == (
        ProofLevel.RESTORED,
        "it is not known how its boot went",
    )
    assert left(cloud) == []


def test_the_end_of_a_boot_removes_the_server_before_the_volume(
    cloud: SimCloud, booting: Run
) -> None:
    carried_on(booting, planned(booting, cloud, bootable=True))
    deleted = [one.path.split("/")[-2] for one in sent(cloud, "DELETE")]
    assert deleted == ["servers", "volumes"]
