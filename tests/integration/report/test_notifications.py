"""Chats, webhooks and dead man's switches hear how runs go; runs do not suffer from them."""

import contextlib
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from staffeln_cli import notify
from staffeln_cli.config import load
from staffeln_cli.config.load import masked
from staffeln_cli.config.settings import NotifySettings
from staffeln_cli.model import Failure, Outcome, RunId

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:apprise")
"""Apprise's to itself."""


class Listener(ThreadingHTTPServer):
    """A webhook: remembers what it was told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, Any]] = []
        self.status = 200
        super().__init__(("127.0.0.1", 0), _Hook)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class _Hook(BaseHTTPRequestHandler):
    server: Listener

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(json.loads(body))

    def _answer(self, body: Any) -> None:
        self.server.heard.append((self.command, self.path, body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody wants to know."""


@pytest.fixture
def webhook() -> Iterator[Listener]:
    with Listener() as listener:
        thread = threading.Thread(target=listener.serve_forever)
        thread.start()
        yield listener
        listener.shutdown()
        thread.join()


def an_outcome(outcome: str = "ok", *, exit_code: int = 0, **more: Any) -> Outcome:
    when = datetime(2026, 11, 22, tzinfo=UTC)
    return Outcome("retain", RunId("r"), outcome, when, 1.0, 1, exit_code=exit_code, **more)


BAD = an_outcome(
    "partial",
    exit_code=3,
    failures=(Failure("backup", "b1", "cannot be deleted\nyet"),),
    counts={"kept": 3},
)


def test_only_failures_are_told_unless_more_is_asked_for(webhook: Listener) -> None:
    urls = (f"json://{webhook.place}/",)
    for settings, expected in (
        (NotifySettings(urls=urls), ["failure"]),
        (NotifySettings(urls=urls, on=("start", "success")), ["info", "success"]),
    ):
        notify.begun(settings, "retain")
        notify.ended(settings, "retain", [an_outcome()])
        notify.ended(settings, "retain", [an_outcome(), BAD])
        notify.ended(settings, "retain", [an_outcome("skipped"), an_outcome(dry_run=True)])
        assert [body["type"] for _, _, body in webhook.heard] == expected
        webhook.heard.clear()


def test_a_failure_names_what_failed_and_why(webhook: Listener) -> None:
    notify.ended(NotifySettings(urls=(f"json://{webhook.place}/",)), "run", [an_outcome(), BAD])
    ((_, _, body),) = webhook.heard
    assert body["title"].startswith("staffeln run failed on ")
    assert body["message"] == "retain: backup b1: cannot be deleted yet"


def test_a_service_that_watches_for_silence_hears_of_every_run(webhook: Listener) -> None:
    settings = NotifySettings(urls=(f"ping+http://{webhook.place}/uuid?rid=1",))
    notify.begun(settings, "run")
    notify.ended(settings, "run", [an_outcome()])
    notify.ended(settings, "run", [BAD])
    assert webhook.heard == [
        ("GET", "/uuid/start?rid=1", None),
        ("GET", "/uuid?rid=1", None),
        ("GET", "/uuid/fail?rid=1", None),
    ]


@pytest.mark.parametrize(
    "url",
    [
        "ping+http://127.0.0.1:1/secret",
        "ping+file:///etc/passwd?secret",
        "json://127.0.0.1:1/secret",
        "nonsense://secret",
        "secret",
        "slack://secret",
        "",
    ],
)
def test_a_notifier_that_fails_is_named_without_its_secrets_and_fails_nothing(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="staffeln_cli"):
        notify.ended(NotifySettings(urls=("ping+http://", url)), "run", [BAD])
    assert "notify.urls, number 2" in caplog.text
    assert "secret" not in caplog.text


def test_names_and_reasons_address_nobody_in_a_chat(webhook: Listener) -> None:
    hostile = Failure("backup", "<@U1>", "<!channel> @everyone\n\x1b[1m\u202e <https://x|y>")
    outcome = an_outcome("partial", exit_code=3, failures=(hostile,))
    notify.ended(NotifySettings(urls=(f"json://{webhook.place}/",)), "run", [outcome])
    ((_, _, body),) = webhook.heard
    assert not set("<>@\n\x1b\u202e") & set(body["message"])
    assert "!channel" in body["message"]


@pytest.fixture
def speaks_no_http() -> Iterator[str]:
    """A server that sends a line of something else, and then a byte now and then."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        clients: list[socket.socket] = []

        def greet() -> None:
            with contextlib.suppress(OSError):
                while True:
                    clients.append(server.accept()[0])
                    clients[-1].sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for client in clients:
            client.close()


@pytest.mark.parametrize("path", ["secret", "sec ret", "sec\nret"])
def test_what_is_no_service_for_http_fails_nothing(
    speaks_no_http: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    notify.begun(NotifySettings(urls=(f"ping+http://{speaks_no_http}/{path}",)), "run")
    assert caplog.text.count("notify.urls, number 1 (ping+http): failed: ") == 1
    assert "ret" not in caplog.text.replace("notify.py", "")


def test_services_that_do_not_answer_share_one_deadline(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        urls = (f"json://{place}/", f"ping+http://{place}/", f"json://{place}/?rto=30")
        began = time.monotonic()
        notify.ended(NotifySettings(urls=urls), "run", [BAD], timeout=1)
        assert 1 <= time.monotonic() - began < 3
    assert caplog.text.count("notify.urls, number ") == 3


def test_a_service_that_answers_with_an_error_is_named(
    webhook: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    webhook.status = 500
    for scheme in ("json", "ping+http"):
        notify.ended(NotifySettings(urls=(f"{scheme}://{webhook.place}/",)), "run", [BAD])
    assert len(webhook.heard) == 2
    assert caplog.text.count("notify.urls, number 1") == 2


def test_urls_and_the_mail_password_are_never_shown() -> None:
    environ = {
        "STAFFELN_NOTIFY_URLS": "slack://token@secret,json://x",
        "STAFFELN_MAIL_PASSWORD": "secret",
    }
    settings = load(None, environ).settings
    assert settings.notify.urls == ("slack://token@secret", "json://x")
    assert "secret" not in str(masked("notify.urls", settings.notify.urls))
    assert "secret" not in str(masked("mail.password", settings.mail.password))
