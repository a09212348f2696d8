"""Every wait for the cloud ends: silence, single bytes, circles, and a login that cannot begin."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from staffeln_cli.demo.simcloud import Request, SimCloud
from staffeln_cli.errors import CloudUnavailable, Stopped
from tests.acceptance.builders import a_volume, rounds, some_volumes, volumes
from tests.acceptance.processes import started
from tests.conftest import Staffeln

PATHS = ("/identity", "/auth/tokens", "/volumes/detail", "/servers/detail", "/projects")
PATIENCE = 60.0
"""Seconds that a command may take on a machine that is busy; a blocked one takes for ever."""
ENDS_WITHIN = 15.0
"""Seconds from a signal to the end of any command."""


def took(act: Callable[[], object]) -> float:
    """Seconds that something takes."""
    began = time.monotonic()
    act()
    return time.monotonic() - began


@pytest.mark.parametrize("auth_type", ["password", "v3password"])
def test_a_version_document_that_is_refused_does_not_block_the_login(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path, auth_type: str
) -> None:
    entry = cloud.clouds_yaml().replace("auth_type: password", f"auth_type: {auth_type}")
    (tmp_path / "clouds.yaml").write_text(entry)
    cloud.faults.fail_next("GET", "/identity/v3$", status=401, times=99)
    process = started(staffeln, "collect")
    stdout, stderr = process.communicate(timeout=PATIENCE)
    if auth_type == "v3password":  # needs no version document
        assert process.returncode == 0, stderr
        return
    assert process.returncode == CloudUnavailable.exit_code
    assert "auth_url" in stderr + stdout


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_by_single_bytes_is_cut_off(
    cloud: SimCloud, staffeln: Staffeln, path: str
) -> None:
    some_volumes(cloud, 2)
    staffeln.set(CLOUD_REQUEST_TIMEOUT="1s", CLOUD_RETRY_TIMEOUT="1s")
    cloud.faults.drip_next("*", path, 0.3, times=99)
    answers = []
    assert took(lambda: answers.append(staffeln("collect"))) < ENDS_WITHIN
    assert answers[0].exit_code == CloudUnavailable.exit_code


def test_a_slow_answer_that_is_complete_in_time_is_taken(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    cloud.faults.delay_next("GET", "/volumes/detail", 1.5)
    assert staffeln("collect", "-f", "json").counts["planned"] == 1


@pytest.mark.parametrize("path", ["/volumes/detail", "/servers/detail", "/projects"])
def test_a_page_that_links_to_itself_makes_the_listing_incomplete(
    cloud: SimCloud, staffeln: Staffeln, path: str
) -> None:
    some_volumes(cloud, 3)
    rounds(staffeln, cloud, 1)
    cloud.faults.loop_next(path, times=99)
    answers = []
    assert took(lambda: answers.append(staffeln("collect"))) < ENDS_WITHIN
    assert answers[0].exit_code == CloudUnavailable.exit_code
    assert all(one["protected"] for one in volumes(staffeln).values())


@pytest.mark.parametrize("path", ["/identity", "/auth/tokens", "/volumes/detail"])
def test_a_signal_ends_a_command_whose_request_nobody_answers(
    cloud: SimCloud, staffeln: Staffeln, path: str
) -> None:
    staffeln.set(CLOUD_REQUEST_TIMEOUT="5min", CLOUD_RETRY_TIMEOUT="1h")
    waiting = Event()

    def note(request: Request) -> None:
        if path in request.path:
            waiting.set()

    cloud.faults.hang_next("*", path, times=99)
    cloud.on_request = note
    process = started(staffeln, "collect")
    try:
        assert waiting.wait(30)
        time.sleep(0.2)  # until the command waits for the answer
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    finally:
        cloud.faults.release()
    assert process.returncode == Stopped(signal.SIGTERM).exit_code
