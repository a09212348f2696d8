"""Surroundings that are bare, foreign, narrow or gone: a command works, or says what it needs."""

import fcntl
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import ConfigError
from tests.acceptance.builders import a_volume, records
from tests.acceptance.processes import reached
from tests.conftest import Staffeln

UNKNOWN_USER = ("unshare", "--user", "--map-user=54321", "--")
ASCII_ONLY = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
NARROW = 60
_SIZES = ("COLUMNS", "LINES")
"""Variables that count more than the terminal's own size."""
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def bare(staffeln: Staffeln) -> dict[str, str]:
    """The configuration and where the cloud is; nothing else, not even PATH."""
    cloud = {name: os.environ[name] for name in ("OS_CLOUD", "OS_CLIENT_CONFIG_FILE")}
    return {**staffeln.environ, **cloud}


def run(
    environ: dict[str, str], *arguments: str, prefix: tuple[str, ...] = ()
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*prefix, sys.executable, "-m", "staffeln_cli", *arguments],
        env=environ,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def as_nobody_known() -> tuple[str, ...]:
    """What starts a program as a user without an entry in passwd, where the system permits it."""
    if shutil.which(UNKNOWN_USER[0]) is None:
        return ()
    works = subprocess.run([*UNKNOWN_USER, "true"], capture_output=True, check=False)
    return UNKNOWN_USER if works.returncode == 0 else ()


@pytest.mark.parametrize("prefix", [(), as_nobody_known()], ids=["known", "unknown"])
def test_a_pass_needs_no_environment_no_home_and_no_entry_in_passwd(
    cloud: SimCloud, staffeln: Staffeln, prefix: tuple[str, ...]
) -> None:
    a_volume(cloud)
    done = run(bare(staffeln), "run", prefix=prefix)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(records(staffeln)) == 1


def test_a_pass_needs_no_folder_to_be_in(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    a_volume(cloud)
    (tmp_path / "gone").mkdir()
    leave = f"cd {tmp_path}/gone && rmdir {tmp_path}/gone && exec"
    done = subprocess.run(
        f"{leave} {sys.executable} -m staffeln_cli collect",
        shell=True,
        env=bare(staffeln),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "arguments", [("config", "check"), ("config", "init", "--output", "-"), ("--help",)]
)
def test_a_user_without_a_home_gets_what_needs_none(arguments: tuple[str, ...]) -> None:
    done = run({}, *arguments, prefix=as_nobody_known())
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("cloud_name", ["production", None])
def test_a_crontab_that_forgets_where_clouds_yaml_is_is_told_so(
    cloud: SimCloud, staffeln: Staffeln, cloud_name: str | None
) -> None:
    """The crontab has none of the variables with which the commands were tried by hand."""
    environ = dict(staffeln.environ) | ({"STAFFELN_CLOUD_NAME": cloud_name} if cloud_name else {})
    assert staffeln("db", "upgrade").exit_code == 0
    done = run(environ, "collect")
    assert (done.returncode, cloud.requests) == (ConfigError.exit_code, [])
    assert done.stderr.startswith(f"collect: cloud {cloud_name or 'from the environment'}: ")
    assert "there is no clouds.yaml in /, " in done.stderr
    assert "OS_CLIENT_CONFIG_FILE" in done.stderr


@pytest.mark.parametrize("command", ["status", "doctor", "run"])
def test_a_user_without_a_home_and_a_configuration_is_told_what_is_missing(command: str) -> None:
    done = run({}, command, prefix=as_nobody_known())
    assert done.returncode in {69, 78}
    assert "bug" not in done.stderr


def test_names_that_the_locale_cannot_print_are_escaped(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud, name="Büro 備份")
    staffeln("collect")
    environ = {**bare(staffeln), **ASCII_ONLY}
    for arguments in (("status", "volumes"), ("explain", volume), ("status",), ("--help",)):
        done = run(environ, *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.isascii()
    assert "B\\xfcro" in run(environ, "status", "volumes", "-f", "csv").stdout


@contextmanager
def a_terminal() -> Iterator[tuple[FileIO, FileIO]]:
    """A terminal's two ends: the user's, and that of the programs in it."""
    users_end, programs_end = (FileIO(number, "rb+") for number in pty.openpty())
    with users_end, programs_end:
        yield users_end, programs_end


def in_terminal(
    staffeln: Staffeln, programs_end: FileIO, *arguments: str
) -> "subprocess.Popen[bytes]":
    environ = {name: text for name, text in os.environ.items() if name not in _SIZES}
    return subprocess.Popen(
        [sys.executable, "-m", "staffeln_cli", *arguments],
        env={**environ, **staffeln.environ, "TERM": "xterm"},
        stdin=programs_end,
        stdout=programs_end,
        stderr=programs_end,
    )


def test_a_pass_goes_on_when_nobody_is_at_the_other_end_of_its_terminal(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    with a_terminal() as (users_end, programs_end):
        users_end.close()
        process = in_terminal(staffeln, programs_end, "-vv", "run")
        assert process.wait(60) == 0
    assert len(records(staffeln)) == 1


def test_a_terminal_that_is_closed_ends_a_pass_after_the_items_in_hand(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    for _ in range(6):
        a_volume(cloud)
    cloud.settings.latency = 0.1
    begun = reached(cloud, "GET", "/detail", 1)
    with a_terminal() as (_, programs_end):
        process = in_terminal(staffeln, programs_end, "run")
        assert begun.wait(30)
        process.send_signal(signal.SIGHUP)  # as the kernel does when the terminal is closed
        assert process.wait(30) == 128 + signal.SIGHUP
    assert [record for record in records(staffeln) if record["state"] == "starting"] == []


def test_nohup_keeps_a_pass_going(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    cloud.settings.latency = 0.2
    begun = reached(cloud, "GET", "/detail", 1)
    process = subprocess.Popen(
        ["nohup", sys.executable, "-m", "staffeln_cli", "run"],
        env={**os.environ, **staffeln.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert begun.wait(30)
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 0
    assert len(records(staffeln)) == 1


def shown(staffeln: Staffeln, columns: int, *arguments: str) -> list[str]:
    """The lines that a terminal of this width is given."""
    with a_terminal() as (users_end, programs_end):
        fcntl.ioctl(programs_end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        process = in_terminal(staffeln, programs_end, *arguments)
        programs_end.close()
        parts = []
        try:
            while part := users_end.read(4096):
                parts.append(part)
        except OSError:  # the program has ended, and with it its end of the terminal
            pass
        assert process.wait(60) in {0, 69, 78}
    return _ESCAPES.sub("", b"".join(parts).decode()).splitlines()


@pytest.mark.parametrize("columns", [NARROW, 200])
def test_no_line_is_wider_than_the_terminal_and_no_id_that_one_has_to_paste_is_cut(
    cloud: SimCloud, staffeln: Staffeln, columns: int
) -> None:
    volume = a_volume(cloud, name="a volume with a rather long name")
    staffeln("run")
    commands = [("status",), ("status", "volumes"), ("explain", volume), ("doctor",), ("--help",)]
    for arguments in commands:
        lines = shown(staffeln, columns, *arguments)
        assert lines
        assert [line for line in lines if len(line) > columns] == [], arguments
    words = " ".join(shown(staffeln, columns, "status")).split()
    assert {"running", "full", "since", "left", "known"} <= set(words), "no column is dropped"
    explained = shown(staffeln, columns, "explain", volume)
    assert any(volume in line for line in explained), explained
