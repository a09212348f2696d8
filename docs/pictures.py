"""Takes the pictures of reports in docs/ with a headless browser: `python -m docs.pictures`."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from staffeln_cli.config import Settings
from staffeln_cli.config.settings import ReportSettings
from staffeln_cli.model import Kind
from staffeln_cli.reports.delivery import ReportMailer
from staffeln_cli.reports.model import (
    Grouped,
    Item,
    Made,
    ProjectReport,
    Proofs,
    ProtectionState,
    Removed,
    Trouble,
    Unsafe,
)
from staffeln_cli.reports.pages.project import project_page
from staffeln_cli.reports.quota_forecast import Gauge, QuotaForecast

FOLDER = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_NOW = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)


class Picture(NamedTuple):
    """A report, and the window of the browser that shows it."""

    report: ProjectReport
    width: int
    height: int
    is_dark: bool = False


def _ago(**length: float) -> datetime:
    return _NOW - timedelta(**length)


def _made(volume: str, server: str, kind: Kind, gib: int, hours: float) -> Made:
    start = _ago(hours=hours)
    name = f"{server}_{volume}_{start:%Y%m%dT%H%M%SZ}_8b529b4a97b75092"
    return Made(volume, server, name, kind, gib, start, start + timedelta(minutes=7 * hours))


_GOOD = ProjectReport(
    project_id="1",
    project_name="web-shop",
    since=_ago(days=1),
    until=_NOW,
    protected=3,
    unsafe=(),
    trouble=Trouble(failures=(), failed=0, lost=(), stuck=()),
    recovered=(),
    made=(
        _made("data", "web-1", Kind.FULL, 20, 4.6),
        _made("root", "web-1", Kind.INCREMENTAL, 10, 6.2),
        _made("logs", "web-1", Kind.INCREMENTAL, 100, 5.1),
    ),
    made_on=(),
    skipped=(Grouped("marked with skip-volume-backup", [Item("scratch", "web-1")]),),
    bad_retention=(),
    removed=(
        Removed("data", "web-1", 3, 60, _ago(days=24), _ago(days=18)),
        Removed("root", "web-1", 1, 10, _ago(days=18), _ago(days=18)),
    ),
    pinned=(Item("data", "web-1", "before the upgrade", _ago(days=40)),),
    records=(),
    quota_forecast=QuotaForecast(
        Gauge(1000, 312, timedelta(days=88)), Gauge(100, 41, timedelta(days=120))
    ),
    proofs=Proofs(passed=[Item("logs", "web-1", "restored in 4 min 10 s", _ago(hours=2))]),
)
_TROUBLE = replace(
    _GOOD,
    protected=12,
    unsafe=(
        Unsafe("data", "web-1", "its last 3 backups failed", None, ProtectionState.OVERDUE),
        Unsafe("new", "web-2", "its first backup is on its way", None, ProtectionState.WAITING),
    ),
    trouble=Trouble(
        failures=(
            Grouped(
                "VolumeBackupSizeExceedsAvailableQuota: Requested backup exceeds allowed Backup"
                " gigabytes quota. Requested 100G, quota is 1000G and 960G has been consumed.",
                [Item("data", "web-1", "tried 3 times", _ago(minutes=10))],
            ),
            Grouped(
                "the volume is in status 'error', which allows no backup",
                [Item("root", "web-2", "", _ago(minutes=11))],
            ),
        ),
        failed=2,
        lost=(Item("mysql", "db-1", "", _ago(hours=3)),),
        stuck=(),
    ),
    paused=(
        Item(
            "archive",
            "db-1",
            "server db-1 is paused since 2026-11-20 08:00 UTC until 2026-11-27 08:00 UTC by"
            " ops@backup-1: moves to az2",
            _ago(days=3),
        ),
    ),
    bad_retention=(Item("root", "web-1", "asks for '5 weeks', '5w' holds"),),
    quota_forecast=QuotaForecast(Gauge(1000, 812, timedelta(days=12)), Gauge(-1, 66)),
)
PICTURES: Mapping[str, Picture] = {
    "report-good.png": Picture(_GOOD, 640, 1240),
    "report-trouble.png": Picture(_TROUBLE, 375, 1560, is_dark=True),
}


def html(picture: Picture) -> str:
    """The page of a report, as it is mailed."""
    mailer = ReportMailer(Settings(report=ReportSettings(timezone="Europe/Berlin")))
    return mailer.html(project_page(picture.report, mailer.when), picture.report)


def take(browser: str) -> None:
    """Have a browser show each page, and keep what it shows."""
    with tempfile.TemporaryDirectory() as folder:
        for name, picture in PICTURES.items():
            page = Path(folder) / f"{name}.html"
            page.write_text(html(picture), encoding="utf-8")
            subprocess.run(  # noqa: S603 - an installed browser shows our own page
                _command(browser, picture, page, FOLDER / name), check=True
            )


def _command(browser: str, picture: Picture, page: Path, target: Path) -> Sequence[str]:
    options = [f"--window-size={picture.width},{picture.height}", f"--screenshot={target}"]
    if picture.is_dark:
        options.append("--blink-settings=preferredColorScheme=0")
    return [browser, "--headless", "--no-sandbox", "--hide-scrollbars", *options, page.as_uri()]


if __name__ == "__main__":
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        sys.exit(f"none of {', '.join(BROWSERS)} is installed")
    take(found)
