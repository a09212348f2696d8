"""Notifications: a webhook hears once of an invocation, and never spoils it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.conftest import Staffeln

# Apprise's own warnings to itself; ours stay errors everywhere else.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class _Ear(ThreadingHTTPServer):
    """A webhook that remembers what it was told."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        super().__init__(("127.0.0.1", 0), _Listener)


class _Listener(BaseHTTPRequestHandler):
    server: _Ear

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.server.heard.append(self.rfile.read(length).decode())
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def ear(staffeln: Staffeln) -> Iterator[_Ear]:
    ear = _Ear()
    thread = threading.Thread(target=ear.serve_forever)
    thread.start()
    staffeln.set(NOTIFY_URLS=f"json://127.0.0.1:{ear.server_port}/hook")
    yield ear
    ear.shutdown()
    thread.join()
    ear.server_close()


def _some_trouble(cloud: SimCloud) -> None:
    project = cloud.people.add_project("shop")
    server = cloud.things.add_server(
        "web", project=project, metadata={"__staffeln_backup": "true"}
    )
    cloud.things.add_volume("data", project=project, server=server, status="error")


def test_a_webhook_hears_of_a_failure_and_not_of_a_good_pass(
    cloud: SimCloud, staffeln: Staffeln, ear: _Ear
) -> None:
    staffeln("collect")
    assert ear.heard == []
    _some_trouble(cloud)
    answer = staffeln("collect")
    assert answer.exit_code == 3
    assert len(ear.heard) == 1, answer.stderr
    (told,) = ear.heard
    assert "collect" in told


def test_a_whole_run_is_told_once(cloud: SimCloud, staffeln: Staffeln, ear: _Ear) -> None:
    _some_trouble(cloud)
    staffeln("run", "-f", "json")
    assert len(ear.heard) == 1


def test_a_dry_run_is_no_news(cloud: SimCloud, staffeln: Staffeln, ear: _Ear) -> None:
    _some_trouble(cloud)
    staffeln("collect", "--dry-run")
    assert ear.heard == []


def test_a_notifier_that_is_down_never_fails_the_pass(cloud: SimCloud, staffeln: Staffeln) -> None:
    staffeln.set(NOTIFY_URLS="json://127.0.0.1:9/hook", NOTIFY_ON="success,failure")
    assert staffeln("collect", "-f", "json").json["outcome"] == "ok"
