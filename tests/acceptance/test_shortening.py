"""Whatever a tenant does to shorten retention takes effect only after the grace."""

from datetime import timedelta
from pathlib import Path

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import a_volume, rounds, some_volumes
from tests.build import MARKED
from tests.conftest import Staffeln

LONG = {**MARKED, "__staffeln_retention": "30d"}
SHORT = {**MARKED, "__staffeln_retention": "1s"}


@pytest.fixture(autouse=True)
def _fulls(staffeln: Staffeln) -> None:
    """Each backup is a full one, and none is kept for its own sake."""
    staffeln.set(BACKUP_FULL_BACKUP_DEPTH="0", RETENTION_KEEP_LAST="0")


@pytest.fixture
def six(cloud: SimCloud, staffeln: Staffeln) -> list[str]:
    """Volumes with three backups each, promised for 30 days."""
    found = some_volumes(cloud, 6, metadata=LONG)
    staffeln.set(BACKUP_MAX_IN_FLIGHT_PER_PROJECT="20")
    rounds(staffeln, cloud, 3)
    return found


def servers(cloud: SimCloud) -> list[str]:
    return [one["name"] for one in cloud.servers()]


def test_a_thief_removes_no_backup_before_the_grace_is_over(
    cloud: SimCloud, staffeln: Staffeln, six: list[str]
) -> None:
    staffeln.set(RETENTION_KEEP_LAST="1")
    for server in servers(cloud):
        cloud.things.set_metadata(server, {"__staffeln_retention": "1s"})
    staffeln("run")
    for volume in six:
        cloud.things.remove_volume(volume)
    for _ in range(4):
        staffeln("run")
        cloud.advance(hours=5, minutes=59)
    assert len(cloud.backups()) == 18
    assert staffeln("retain", "-f", "json").counts["expired"] == 0


def test_the_shorter_retention_takes_effect_when_the_grace_is_over(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, metadata=LONG)
    rounds(staffeln, cloud, 3)
    cloud.things.set_metadata("data-server", {"__staffeln_retention": "1s"})
    staffeln("collect")
    cloud.advance(hours=23)
    assert staffeln.cycle("collect", "retain")[1].counts["expired"] == 0
    cloud.advance(hours=1)
    assert staffeln.cycle("collect", "retain")[1].counts["expired"] == 3


def test_a_longer_retention_holds_from_the_next_pass_on(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, metadata=SHORT)
    staffeln.set(RETENTION_GRACE="0s")
    rounds(staffeln, cloud, 1)
    staffeln.set(RETENTION_GRACE="1d")
    cloud.things.set_metadata("data-server", LONG)
    assert staffeln.cycle("collect", "retain")[1].counts["kept"] == 1
    cloud.advance(days=28)
    cloud.things.set_metadata("data-server", {"__staffeln_retention": "1s"})
    assert staffeln.cycle("collect", "retain")[1].counts["kept"] == 1


def test_each_further_shortening_begins_the_grace_anew(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, metadata=LONG)
    rounds(staffeln, cloud, 3)
    for text in ("7d", "2d", "1s"):
        cloud.things.set_metadata("data-server", {"__staffeln_retention": text})
        assert staffeln.cycle("collect", "retain")[1].counts["expired"] == 0
        cloud.advance(hours=20)
    assert staffeln("retain", "-f", "json").counts["expired"] == 0
    cloud.advance(hours=5)
    assert staffeln("retain", "-f", "json").counts["expired"] == 3


def test_taking_a_shortening_back_ends_it(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud, metadata=LONG)
    rounds(staffeln, cloud, 1)
    cloud.things.set_metadata("data-server", SHORT)
    staffeln("collect")
    cloud.things.set_metadata("data-server", LONG)
    staffeln("collect")
    cloud.advance(days=2)
    staffeln.set(SELECT_METADATA_KEY="nobody")
    assert staffeln.cycle("collect", "retain")[1].counts["kept"] == 1


def test_what_was_kept_for_the_volumes_sake_stays_for_the_grace_after_its_end(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(RETENTION_KEEP_LAST="1")
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1, days=60)
    cloud.things.remove_volume(volume)
    staffeln("collect")
    cloud.advance(minutes=10)
    assert staffeln.cycle("collect", "retain")[1].counts["expired"] == 0
    cloud.advance(hours=23)
    assert staffeln("retain", "-f", "json").counts["expired"] == 0
    cloud.advance(hours=1)
    assert staffeln("retain", "-f", "json").counts["deleted"] == 1


def test_no_backup_goes_that_is_younger_than_the_minimum(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(RETENTION_GRACE="0s", RETENTION_MINIMUM="7d")
    a_volume(cloud, metadata=SHORT)
    rounds(staffeln, cloud, 1, days=6)
    assert staffeln("retain", "-f", "json").counts["expired"] == 0
    cloud.advance(days=1)
    assert staffeln("retain", "-f", "json").counts["expired"] == 1


def report_of_shop(staffeln: Staffeln, folder: Path) -> str:
    """The HTML of the next report."""
    staffeln("report", "--preview", str(folder / "page.html"), "--project", "shop")
    return (folder / "page.html").read_text()


def test_the_end_of_the_grace_is_announced_with_its_time(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    volume = a_volume(cloud, metadata=LONG)
    rounds(staffeln, cloud, 1)
    cloud.things.set_metadata("data-server", {"__staffeln_retention": "1s"})
    staffeln("collect")
    until = f"{cloud.now() + timedelta(days=1):%Y-%m-%d %H:%M}"
    shown = {
        "explain": staffeln("explain", volume).stdout,
        "retain": staffeln("retain", "--dry-run").stdout,
        "report": report_of_shop(staffeln, tmp_path),
        "status": staffeln("status").stdout,
        "nagios": staffeln("status", "--nagios").stdout,
    }
    for name, text in shown.items():
        words = " ".join(text.split())
        assert "shortened" in words, name
        assert until in words, name


def test_the_report_tells_how_long_the_backups_of_a_deleted_volume_stay(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.things.remove_volume(volume)
    staffeln("collect")
    cloud.advance(minutes=10)
    staffeln("collect")
    until = f"{cloud.now() + timedelta(days=1):%Y-%m-%d %H:%M}"
    page = report_of_shop(staffeln, tmp_path)
    assert "its last backups may be removed from then on" in page
    assert until in page


def test_the_operators_summary_names_it_until_it_takes_effect(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    def summary() -> str:
        staffeln("report", "--preview", str(tmp_path / "page.html"))
        return (tmp_path / "page.html").read_text()

    a_volume(cloud, "orders", metadata=LONG)
    rounds(staffeln, cloud, 1)
    assert "Retention was shortened" not in summary()
    cloud.things.set_metadata("orders-server", SHORT)
    staffeln("collect")
    page = summary()
    assert "Retention was shortened" in page
    assert "shortened from 30d to 1s" in page
    assert "shop · orders-server" in page
    cloud.advance(days=1, hours=1)
    staffeln("collect")
    assert "Retention was shortened" not in summary()
