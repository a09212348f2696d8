"""`staffeln demo` shows the whole life cycle and leaves nothing behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

STAFFELN = (sys.executable, "-m", "staffeln_cli")


def bare(folder: Path, **more: str) -> dict[str, str]:
    """An environment as cron has it, whose temporary files we can count."""
    return {"PATH": os.environ["PATH"], "TMPDIR": str(folder), "HOME": str(folder), **more}


def run(folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*STAFFELN, "demo"], env=environ, cwd=folder, capture_output=True, text=True, check=False
    )


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
