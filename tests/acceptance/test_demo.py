"""`staffeln demo` shows the whole life cycle and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

FACTS = """
    five of seven volumes are protected, and each has a full backup
    each backup belongs to its project, whose members can restore it themselves
    the next incremental of orders depends on the one made by hand
    each failure is named with its reason, and the exit code tells cron
    the backup whose response was lost was found by its name, not made twice
    every volume has its backup of that night; the failed backup is removed
    the typo is reported, and the previous five weeks still hold
    exactly the 24 backups of the plan are gone from Cinder
    in each chain the newest went first, and none while another depended on it
    the backup made by hand is kept, and so is everything that it depends on
    no backup of ledger is gone: its five weeks hold in spite of the typo
    it was restored to a new volume of the webshop; nothing was overwritten
    no volume is overdue after four weeks with many failures
"""
CALENDAR = """
    webshop    shop-web   web-root  ··· ··· ·█▄▄▄▄▄▄█▄▄▄▄▄▄█▄▄▄▄▄▄
               shop-db    db-root   ··· ··· ·█▄▄▄▄▄▄█▄▄▄▄▄▄█▄▄▄▄▄▄
                          orders    █▄▄◆··· █▄▄▄▄▄▄█▄▄▄▄▄▄█▄▄▄▄▄▄█
    payroll    books      ledger    █▄▄ ▄▄x▄▄█▄▄▄▄▄▄█▄▄▄▄▄▄█▄▄▄▄▄▄
    analytics  warehouse  cubes     ··· ··x··█▄▄▄▄▄▄█▄▄▄▄▄▄█▄▄▄▄▄▄
"""
STAFFELN = (sys.executable, "-m", "staffeln_cli")
pytestmark = pytest.mark.xdist_group("demo")
"""One process for all of them: the story is told once."""


def bare(folder: Path, **more: str) -> dict[str, str]:
    """An environment as cron has it, whose temporary files we can count."""
    return {"PATH": os.environ["PATH"], "TMPDIR": str(folder), "HOME": str(folder), **more}


def run(folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*STAFFELN, "demo"], env=environ, cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, float]:
    """What it prints where nobody watches, and how long it takes; it leaves nothing behind."""
    folder = tmp_path_factory.mktemp("demo")
    began = time.monotonic()
    done = run(folder, bare(folder))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert list(folder.iterdir()) == []
    return done.stdout, time.monotonic() - began


def test_the_demonstration_tells_the_whole_story_in_under_a_minute(
    told: tuple[str, float],
) -> None:
    text, seconds = told
    for fact in FACTS.strip().splitlines():
        assert f"✓ {fact.strip()}\n" in text, fact
    assert CALENDAR.strip("\n") in text
    for command in (
        "db upgrade",
        "collect",
        "backup",
        "check",
        "retain --dry-run",
        "retain",
        "restore --volume orders --at 2026-06-20T22:00",
    ):
        assert f"$ staffeln {command}\n" in text, command
    for said in ("VolumeBackupSizeExceedsAvailableQuota", "No space left on device", "adopted"):
        assert said in " ".join(text.split())
    assert seconds < 60


def test_the_demonstration_is_plain_text_where_it_is_no_terminal(told: tuple[str, float]) -> None:
    text, _ = told
    assert "\x1b" not in text
    assert "\r" not in text
    assert re.search(r"[ \t]\n", text.partition("This morning")[0]) is None


def test_the_demonstration_minds_no_settings_of_its_user(tmp_path: Path) -> None:
    environ = bare(
        tmp_path,
        OS_CLOUD="production",
        OS_CLIENT_CONFIG_FILE=str(tmp_path / "none.yaml"),
        OS_AUTH_URL="http://127.0.0.1:9/v3",
        STAFFELN_DATABASE_URL="sqlite:////nowhere/at/all.db",
        STAFFELN_CONFIG=str(tmp_path / "none.toml"),
        STAFFELN_NONSENSE="1",
        http_proxy="http://127.0.0.1:9",
        LC_ALL="en_US.ISO-8859-1",
        PYTHONIOENCODING="ascii",
    )
    done = run(tmp_path, environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert "web-root  ... ... .FiiiiiiFiiiiiiFiiiiii" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def _all_signals_reach_children() -> Iterator[None]:
    """A shell's job in the background ignores SIGINT, and so would all that it starts."""
    ignored = [one for one in signal.Signals if signal.getsignal(one) is signal.SIG_IGN]
    for one in ignored:
        signal.signal(one, lambda *_: None)
    yield
    for one in ignored:
        signal.signal(one, signal.SIG_IGN)


def stoppable(folder: Path) -> "subprocess.Popen[str]":
    """A demonstration that has begun, with its temporary files in this folder."""
    process = subprocess.Popen(
        [*STAFFELN, "demo", "--pause", "1"],
        env=bare(folder, PYTHONUNBUFFERED="1"),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "staffeln collect" in line:
            break
    assert len(list(folder.iterdir())) == 1
    return process


@pytest.mark.usefixtures("_all_signals_reach_children")
def test_the_demonstration_leaves_nothing_behind_when_it_is_stopped(tmp_path: Path) -> None:
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    folders = [tmp_path / number.name for number in signals]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor() as pool:
        processes = list(pool.map(stoppable, folders))
    for process, number in zip(processes, signals, strict=True):
        process.send_signal(number)
    for process, number, folder in zip(processes, signals, folders, strict=True):
        _, stderr = process.communicate(timeout=30)
        assert "Traceback" not in stderr, number
        assert process.returncode == 128 + number
        assert list(folder.iterdir()) == []
