"""Requests that wait for their turn are looked up together, and each gets its own answer."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
import requests

from staffeln_cli import policy_endpoint
from staffeln_cli.config import load
from staffeln_cli.model import State
from staffeln_cli.planning.deletion_guard import Question, Remembered
from staffeln_cli.policy_endpoint.app import TOGETHER
from staffeln_cli.policy_endpoint.server import Server
from staffeln_cli.store import Database
from staffeln_cli.store.policy_lookup import PolicyLookup
from tests.integration.policy.conftest import MANUAL, OURS, Remember


def test_each_of_many_questions_gets_the_records_that_bear_on_it(
    database_url: str, remember: Remember
) -> None:
    remember(State.AVAILABLE)
    questions = [
        Question(MANUAL),
        Question(OURS),
        Question(MANUAL, name='web_"root_20261122T120000Z_4fa2'),
        Question(MANUAL, name="web_root_20261122T120000Z_4fa2"),
        Question(MANUAL, record_id="4fa2fb16-a207-4431-90b7-210de0181f8c"),
        Question(MANUAL, name="ünïcödé 😀"),
        Question(OURS),
    ]
    lookup = PolicyLookup(Database(database_url))
    try:
        found = lookup.look_up(questions)
        assert [len(records) for records in found] == [0, 1, 0, 1, 1, 0, 1]
        assert {one.backup_id for records in found for one in records} == {OURS}
        assert lookup.look_up(questions[:1]) == [[]]
    finally:
        lookup.close()


class Busy:
    """A look-up that takes its time for the first question, and notes what it is asked at once."""

    together = 4

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.go_on = threading.Event()

    def look_up(self, questions: Sequence[Question]) -> list[list[Remembered]]:
        """A live record for every backup but MANUAL."""
        self.asked.append([one.backup_id for one in questions])
        self.go_on.wait(0.4)
        return [
            [] if one.backup_id == MANUAL else [a_live_record(one.backup_id)] for one in questions
        ]

    def check(self) -> None:
        """Always well."""


def a_live_record(backup_id: str) -> Remembered:
    return Remembered("record", backup_id, State.AVAILABLE, "name", "volume", None)


@pytest.fixture
def busy() -> Iterator[tuple[Busy, str]]:
    """A server whose look-ups are looked at, and its address."""
    lookup, stop = Busy(), threading.Event()
    server = Server(
        policy_endpoint.create_app(lookup, load(None, {}).settings.policy),
        host="127.0.0.1",
        port=0,
    )
    thread = threading.Thread(target=server.run, args=(stop.wait,))
    thread.start()
    yield lookup, server.address
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_requests_that_wait_are_looked_up_together_and_answered_each_its_own(
    busy: tuple[Busy, str],
) -> None:
    lookup, address = busy
    url = f"{address}/v1/backup?backup_id="
    with ThreadPoolExecutor(12) as pool:
        first = pool.submit(requests.post, url + MANUAL, timeout=5)
        while not lookup.asked:
            time.sleep(0.01)
        ids = [MANUAL, OURS, "garbage", OURS, MANUAL, OURS, MANUAL, MANUAL, OURS]
        rest = [pool.submit(requests.post, url + one, timeout=5) for one in ids]
        time.sleep(0.2)
        lookup.go_on.set()
        expected = {MANUAL: "True", OURS: "False"}
        answers = [one.result() for one in rest]
    assert first.result().text == "True"
    for one, answer in zip(ids, answers, strict=True):
        assert answer.text == expected.get(one, answer.text)
        assert answer.status_code == (200 if one in expected else 400)
    assert sum(map(len, lookup.asked)) == len(ids)
    assert max(map(len, lookup.asked)) > 1
    assert max(map(len, lookup.asked)) <= lookup.together


def test_a_look_up_that_breaks_allows_none_of_those_that_waited() -> None:
    app = policy_endpoint.create_app(Broken(), load(None, {}).settings.policy)
    environs = [a_question(MANUAL), a_question(OURS), a_question("garbage")]
    for one in environs:
        one[TOGETHER] = environs
    with pytest.raises(RuntimeError, match="unforeseen"):  # which a WSGI server makes a 500
        answered(app, environs[0])
    assert answered(app, environs[1]).startswith("503")
    assert answered(app, environs[2]).startswith("400")


class Broken:
    """A look-up with a mistake in it."""

    together = 4

    def look_up(self, questions: Sequence[Question]) -> list[list[Remembered]]:
        """Not at all."""
        raise RuntimeError("unforeseen")

    def check(self) -> None:
        """Always well."""


def a_question(backup_id: str) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/v1/backup",
        "QUERY_STRING": f"backup_id={backup_id}",
    }
    setup_testing_defaults(environ)
    return environ


def answered(app: policy_endpoint.Application, environ: dict[str, Any]) -> str:
    """The status, and the body."""
    statuses: list[str] = []
    body = b"".join(app(environ, lambda status, *_: statuses.append(status)))  # type: ignore[arg-type]
    return f"{statuses[0]} {body.decode()}"


def test_requests_sent_at_once_on_one_connection_are_answered_in_their_order(
    busy: tuple[Busy, str],
) -> None:
    lookup, address = busy
    lookup.go_on.set()
    host, port = address.removeprefix("http://").rsplit(":", 1)
    ids = [MANUAL, OURS, OURS, MANUAL]
    with socket.create_connection((host, int(port)), timeout=5) as client:
        for one in ids:
            client.sendall(f"POST /v1/backup?backup_id={one} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        received = b""
        while received.count(b"HTTP/1.1 200 OK") < len(ids) or not received.endswith(b"True"):
            more = client.recv(4096)
            assert more
            received += more
    assert [part[-5:].strip() for part in received.split(b"HTTP/1.1 200 OK")[1:]] == [
        b"True",
        b"False",
        b"False",
        b"True",
    ]
