"""Losing protection is news: for status, monitoring, the project and the operator."""

from pathlib import Path

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.runtime.run import PARTLY_FAILED
from tests.acceptance.builders import (
    a_volume,
    backed_up,
    rounds,
    some_volumes,
    states,
    twice,
    volumes,
)
from tests.conftest import Staffeln

WARNING, CRITICAL = 1, 2


def preview(staffeln: Staffeln, folder: Path, *options: str) -> str:
    """The next report of a project, or the operator's."""
    page = folder / "report.html"
    assert staffeln("report", "--preview", str(page), *options).exit_code == 0
    return page.read_text()


def test_a_volume_whose_backups_are_all_missing_is_critical_and_due_at_once(
    cloud: SimCloud, staffeln_on_each: Staffeln
) -> None:
    staffeln = staffeln_on_each
    ids = some_volumes(cloud, 3)
    backed_up(staffeln, cloud)
    for one in cloud.backups():
        cloud.things.remove_backup(one["id"])
    cloud.advance(hours=2)
    lost = twice(staffeln, cloud, "check")
    assert (lost.exit_code, lost.counts["missing"]) == (PARTLY_FAILED, 3)
    assert all(volumes(staffeln)[one]["last_success_at"] is None for one in ids)
    nagios = staffeln("status", "--nagios")
    assert nagios.exit_code == CRITICAL
    assert "all backups of 3 volumes are missing or broken" in nagios.stdout
    assert staffeln("collect", "-f", "json").counts["planned"] == 3
    staffeln("backup")
    cloud.steering.finish_backups()
    staffeln("check")
    assert "missing" not in staffeln("status", "--nagios").stdout.partition("|")[0]


def test_a_volume_whose_full_backup_is_missing_cannot_be_restored_from_its_incrementals(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 3)
    cloud.settings.lagging_rows = frozenset([cloud.backups()[0]["id"]])
    cloud.advance(hours=2)
    twice(staffeln, cloud, "check")
    assert volumes(staffeln)[volume]["last_success_at"] is None
    assert volumes(staffeln)[volume]["overdue"]


@pytest.mark.parametrize("end", ["unmarked", "detached", "disabled", "unknown", "deleted"])
def test_every_end_of_a_protection_is_news(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path, end: str
) -> None:
    volume = a_volume(cloud)
    a_volume(cloud, "other", project="bank")
    backed_up(staffeln, cloud)
    staffeln("report")
    if end == "unmarked":
        cloud.things.set_metadata("data-server", {})
    elif end == "detached":
        cloud.things.detach(volume, cloud.world.server("data-server").id)
    elif end == "disabled":
        cloud.people.disable_project("shop")
    elif end == "unknown":
        cloud.settings.lagging_rows = frozenset([cloud.world.project("shop").id])
    else:
        cloud.things.remove_server("data-server")
        cloud.things.remove_volume(volume)
    twice(staffeln, cloud, "collect")
    assert not volumes(staffeln)[volume]["protected"]
    nagios = staffeln("status", "--nagios")
    assert nagios.exit_code == WARNING
    assert "protection of 1 volume ended" in nagios.stdout
    assert "staffeln_volumes_protection_ended 1" in staffeln("status", "--prometheus", "-").stdout
    assert "No longer protected" in preview(staffeln, tmp_path, "--project", "shop")
    assert "No longer protected" in preview(staffeln, tmp_path)


def test_an_end_is_reported_once_and_counted_for_a_day(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    a_volume(cloud)
    a_volume(cloud, "other")
    backed_up(staffeln, cloud)
    cloud.things.set_metadata("data-server", {})
    staffeln("collect")
    staffeln("report")
    cloud.advance(days=1, minutes=1)
    staffeln.cycle("collect", "backup")
    cloud.steering.finish_backups()
    staffeln("check")
    assert "No longer protected" not in preview(staffeln, tmp_path, "--project", "shop")
    assert "protection" not in staffeln("status", "--nagios").stdout.partition("|")[0]


def test_a_volume_that_is_protected_again_is_no_news(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    backed_up(staffeln, cloud)
    cloud.things.set_metadata("data-server", {})
    staffeln("collect")
    cloud.things.set_metadata("data-server", {"__staffeln_backup": "true"})
    staffeln("collect")
    assert staffeln("status", "--nagios").exit_code == 0


@pytest.mark.parametrize("command", ["check", "retain", "report"])
def test_a_pass_that_has_not_ended_for_days_is_a_warning(
    cloud: SimCloud, staffeln: Staffeln, command: str
) -> None:
    a_volume(cloud)
    staffeln("run")
    cloud.steering.finish_backups()
    staffeln("check")
    cloud.advance(days=1)
    others = [one for one in ("collect", "backup", "check", "retain", "report") if one != command]
    for _ in range(2):
        staffeln.cycle(*others)
        cloud.steering.finish_backups()
        cloud.advance(days=1)
        staffeln.cycle(*[one for one in others if one == "check"])
    nagios = staffeln("status", "--nagios")
    assert nagios.exit_code >= WARNING
    assert f"the last {command} that ended began" in nagios.stdout


def test_a_project_that_keystone_does_not_list_is_counted_as_unknown(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    backed_up(staffeln, cloud)
    cloud.settings.lagging_rows = frozenset([cloud.world.project("shop").id])
    staffeln("collect")
    nagios = staffeln("status", "--nagios")
    assert nagios.exit_code == WARNING
    assert "1 protected volume unknown to Cinder or Keystone" in nagios.stdout
    assert states(staffeln) == ["available"]
