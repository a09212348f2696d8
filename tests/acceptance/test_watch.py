"""`staffeln status --watch` shows the state again and again, on a terminal."""

import os
import pty
import select
import signal
import subprocess
import sys
import time

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.conftest import Staffeln

PATIENCE = 30.0
HOME = b"\x1b[H"


def test_the_state_is_drawn_again_until_it_is_interrupted(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    terminal, inside = pty.openpty()
    environ = {**os.environ, **staffeln.environ, "COLUMNS": "80", "LINES": "24"}
    process = subprocess.Popen(
        [sys.executable, "-m", "staffeln_cli", "status", "--watch", "1"],
        env=environ,
        stdin=inside,
        stdout=inside,
        stderr=inside,
    )
    os.close(inside)
    try:
        shown = _read_until(terminal, drawings=3)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == -signal.SIGINT
        os.close(terminal)
    drawings = shown.split(HOME)[1:3]
    assert all(b"collect has never completed" in one for one in drawings)
    assert all(one.endswith(b"\x1b[J") and one.count(b"\n") < 24 for one in drawings)


def test_it_needs_a_terminal(staffeln: Staffeln) -> None:
    answer = staffeln("status", "--watch")
    assert (answer.exit_code, "--watch needs a terminal" in answer.stderr) == (2, True)


@pytest.mark.parametrize("other", [("--nagios",), ("-f", "json"), ("--prometheus", "-")])
def test_it_is_not_for_programs(staffeln: Staffeln, other: tuple[str, ...]) -> None:
    answer = staffeln("status", "--watch", *other)
    assert (answer.exit_code, "not for other programs" in answer.stderr) == (2, True)


def _read_until(terminal: int, *, drawings: int) -> bytes:
    shown, end = b"", time.monotonic() + PATIENCE
    while shown.count(HOME) < drawings and time.monotonic() < end:
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 65536)
    return shown
