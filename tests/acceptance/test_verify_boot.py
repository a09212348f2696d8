"""Restored volumes that are booted: what proves it, what says nothing, and what is left of it."""

from datetime import timedelta
from typing import Any

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import ConfigError
from tests.acceptance.builders import a_volume, reasons, rounds, sent
from tests.acceptance.drills import counted, scratch, verify
from tests.conftest import Staffeln

LOGIN = "Ubuntu 24.04.3 LTS orders ttyS0\n\norders login: "


@pytest.fixture
def booting(cloud: SimCloud, staffeln: Staffeln) -> Staffeln:
    """Bootable volumes are booted, and a backup of one is there."""
    cloud.settings.restore_pace = timedelta(0)
    staffeln.set(VERIFY_BOOT="tiny", VERIFY_BOOT_TIMEOUT="1s")
    a_volume(cloud, "orders", bootable=True)
    rounds(staffeln, cloud, 1)
    cloud.settings.console = LOGIN
    cloud.requests.clear()
    return staffeln


def scratch_servers(cloud: SimCloud) -> list[dict[str, Any]]:
    return [one for one in cloud.servers() if one["name"].startswith("staffeln-drill-")]


def nothing_is_left(cloud: SimCloud) -> bool:
    return scratch(cloud) == scratch_servers(cloud) == []


def explained(staffeln: Staffeln) -> Any:
    return staffeln("explain", "orders", "-f", "json").json["proof"]


def test_a_bootable_volume_is_booted_without_networks_until_its_console_shows_a_login(
    cloud: SimCloud, booting: Staffeln
) -> None:
    answer = verify(booting)
    assert (answer.exit_code, answer.counts) == (0, counted(drills=1, passed=1))
    (request,) = sent(cloud, "POST", "/servers")[:1]
    wanted = request.body["server"]
    assert wanted["networks"] == "none"
    assert wanted["metadata"]["staffeln:drill"] in wanted["name"]
    assert wanted.keys().isdisjoint({"key_name", "user_data", "security_groups"})
    assert request.project_id == cloud.world.project("backup").id
    assert nothing_is_left(cloud)
    proof = explained(booting)
    assert (proof["level"], proof["reason"]) == ("booted", None)
    assert proof["console"].endswith("orders login:")
    assert "restored and booted for proof" in booting("explain", "orders").stdout


def test_a_volume_that_is_not_bootable_is_restored_alone(
    cloud: SimCloud, booting: Staffeln
) -> None:
    a_volume(cloud, "logs")
    rounds(booting, cloud, 1)
    cloud.requests.clear()
    assert verify(booting, "--volume", "logs").counts == counted(drills=1, passed=1)
    assert sent(cloud, "POST", "/compute") == []
    level = booting("explain", "logs", "-f", "json").json["proof"]["level"]
    assert level == "restored"


def test_a_console_that_never_shows_it_has_failed_twice_and_says_how_it_ended(
    cloud: SimCloud, booting: Staffeln
) -> None:
    cloud.settings.console = (
        "GRUB loading.\nKernel panic - not syncing: VFS: Unable to mount root fs"
    )
    answer = verify(booting)
    assert (answer.exit_code, answer.counts) == (3, counted(drills=2, failed=1, cancelled=1))
    assert "did not boot within 1s" in reasons(answer)[0]
    assert "Unable to mount root fs" in reasons(answer)[0]
    assert nothing_is_left(cloud)
    assert "Kernel panic" in explained(booting)["console"]
    assert "Kernel panic" in booting("explain", "orders").stdout
    assert booting("status", "--nagios").exit_code == 2


def test_what_the_console_has_to_show_can_be_configured(
    cloud: SimCloud, booting: Staffeln
) -> None:
    cloud.settings.console = "FAKE CONSOLE OUTPUT\nANOTHER\nLAST LINE"
    booting.set(VERIFY_BOOT_PATTERN="LAST L[A-Z]NE")
    assert verify(booting).counts == counted(drills=1, passed=1)
    assert explained(booting)["level"] == "booted"
    booting.set(VERIFY_BOOT_PATTERN="(")
    answer = verify(booting)
    assert answer.exit_code == ConfigError.exit_code
    assert "verify.boot_pattern" in answer.stderr


def test_servers_that_are_left_over_are_listed_by_doctor_and_removed_and_others_are_not(
    cloud: SimCloud, booting: Staffeln
) -> None:
    names: list[str] = []
    cloud.on_request = lambda _: names.extend(one["name"] for one in scratch_servers(cloud))
    assert verify(booting).exit_code == 0
    cloud.on_request = None
    for name in (names[0], "staffeln-drill-of-somebody-else", "a server of ours"):
        cloud.things.add_server(name, project="backup")
    checks = [one for one in booting("doctor", "-f", "json").json if one["level"] == "warning"]
    said = " ".join(one["text"] for one in checks if one["name"] == "scratch servers")
    assert names[0] in said
    assert "staffeln-drill-of-somebody-else" in said
    assert verify(booting).exit_code == 0
    left = cloud.servers(project_id=cloud.world.project("backup").id)
    assert [one["name"] for one in left] == ["staffeln-drill-of-somebody-else", "a server of ours"]


def test_a_drill_with_its_boot_takes_at_most_twelve_requests_besides_polling(
    cloud: SimCloud, booting: Staffeln
) -> None:
    number = 4
    for place in range(number - 1):
        a_volume(cloud, f"more-{place}", bootable=True)
    rounds(booting, cloud, 1)
    cloud.requests.clear()
    assert verify(booting).counts == counted(drills=number, passed=number)
    sent_once = {(one.method, one.target, str(one.body)) for one in list(cloud.requests)}
    assert len(sent_once) <= number * 12
    listings = [one for one in list(cloud.requests) if one.path.endswith("/backups/detail")]
    assert len(listings) <= 2, "one listing serves all"
