"""Standard streams that are closed or full, and log files on full disks, never stop a pass."""

import os
import subprocess
import sys

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import Unavailable
from tests.acceptance.builders import a_volume, records
from tests.conftest import Staffeln


def in_shell(staffeln: Staffeln, command: str) -> "subprocess.CompletedProcess[str]":
    """A command line with redirections, `staffeln` being ours."""
    return subprocess.run(
        ["/bin/sh", "-c", command.replace("staffeln", f"{sys.executable} -m staffeln_cli")],
        env={**os.environ, **staffeln.environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("options", "streams"),
    [
        ("-vv run", "<&- >&- 2>&-"),
        ("-vv run", "2>&-"),
        ("collect -f json", ">/dev/full 2>/dev/full"),
        ("run -f json", ">/dev/full"),
    ],
)
def test_no_state_of_the_streams_stops_a_pass(
    cloud: SimCloud, staffeln: Staffeln, streams: str, options: str
) -> None:
    a_volume(cloud)
    done = in_shell(staffeln, f"staffeln {options} {streams}")
    assert done.returncode == 0
    assert len(records(staffeln)) == 1
    assert "Traceback" not in done.stderr


def test_a_listing_that_cannot_be_written_says_so(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    staffeln("collect")
    done = in_shell(staffeln, "staffeln status backups -f csv >/dev/full")
    assert done.returncode == Unavailable.exit_code
    assert done.stderr == "stdout cannot be written: No space left on device\n"


def test_a_reader_that_has_had_enough_is_no_failure_to_talk_about(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln("collect")
    done = in_shell(staffeln, "staffeln config init --output - | head -c 1")
    assert (done.stdout, done.stderr) == ("#", "")


def test_a_log_file_on_a_full_disk_is_one_line(cloud: SimCloud, staffeln: Staffeln) -> None:
    volume = a_volume(cloud, status="error")
    staffeln.set(LOG_FILE="/dev/full")
    done = in_shell(staffeln, "staffeln collect")
    disk, failure = done.stderr.splitlines()
    assert disk == "log.file: /dev/full: cannot be written: No space left on device"
    assert failure.startswith(f"volume {volume}")
