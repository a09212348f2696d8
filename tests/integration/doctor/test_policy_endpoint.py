"""`staffeln doctor` asks the policy endpoint what Cinder would ask it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from staffeln_cli.commands import serve_policy
from staffeln_cli.config import load
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.runtime import Runtime

NAME = "policy endpoint"


class Said:
    """What the doctor said of the endpoint."""

    def __init__(self, answer: Any) -> None:
        self.exit_code = answer.exit_code
        (check,) = [one for one in answer.json if one["name"] == NAME]
        self.level, self.text, self.advice = check["level"], check["text"], check["advice"]


@pytest.fixture
def doctor(staffeln: Any, cloud: SimCloud) -> Any:
    """A visit to the doctor, with one automatic backup in the cloud and nobody listening."""
    cloud.people.add_project("alpha")
    cloud.things.add_server("web", project="alpha", metadata={"__staffeln_backup": "true"})
    cloud.things.add_volume("root", server="web")
    staffeln.set(POLICY_PORT="1")
    return lambda: Said(staffeln("doctor", "-f", "json"))


@pytest.fixture
def backed_up(staffeln: Any, doctor: Any, cloud: SimCloud) -> None:
    staffeln.cycle("collect", "backup")
    cloud.steering.finish_backups()
    staffeln.cycle("check")


@contextmanager
def serving(staffeln: Any, **settings: str) -> Iterator[None]:
    """`serve-policy` beside, told to `staffeln` as the configured one."""
    environ = staffeln.environ | {f"STAFFELN_{key}": value for key, value in settings.items()}
    runtime = Runtime(load(None, environ | {"STAFFELN_POLICY_PORT": "0"}).settings)
    addresses: Queue[str] = Queue()
    thread = threading.Thread(
        target=serve_policy.run, args=(runtime,), kwargs={"listening": addresses.put}
    )
    thread.start()
    try:
        address = addresses.get(timeout=10)
        if address.startswith("http:"):
            staffeln.set(POLICY_PORT=address.rpartition(":")[2])
        yield
    finally:
        runtime.stop.request(15)
        thread.join(10)
        runtime.close()
    assert not thread.is_alive()


def our_id(cloud: SimCloud, staffeln: Any) -> str:
    """The id of the user that Staffeln is."""
    runtime = Runtime(load(None, staffeln.environ).settings)
    try:
        return runtime.cloud.login().user_id
    finally:
        runtime.close()


def test_none_is_nothing_to_worry_about_where_none_is_used(doctor: Any) -> None:
    said = doctor()
    assert (said.level, said.exit_code) == ("ok", 0)


def test_one_that_is_used_but_not_there_is_a_warning(
    doctor: Any, staffeln: Any, cloud: SimCloud
) -> None:
    staffeln.set(POLICY_TRUSTED_USERS=our_id(cloud, staffeln))
    said = doctor()
    assert (said.level, said.exit_code) == ("warning", 0)
    assert "http://127.0.0.1:1 does not answer" in said.text
    assert "policy.host" in said.advice


def test_before_the_first_backup_it_is_only_asked_about_an_unknown_one(
    doctor: Any, staffeln: Any
) -> None:
    with serving(staffeln):
        said = doctor()
    assert said.level == "ok"
    assert "no live backup yet" in said.text


@pytest.mark.usefixtures("backed_up")
def test_one_that_protects_our_backups_and_trusts_us_is_well(
    doctor: Any, staffeln: Any, cloud: SimCloud
) -> None:
    with serving(staffeln, POLICY_TRUSTED_USERS=our_id(cloud, staffeln)):
        said = doctor()
    assert (said.level, said.exit_code) == ("ok", 0)
    assert "protects our backups, and only them" in said.text


@pytest.mark.usefixtures("backed_up")
def test_one_on_a_socket_is_asked_there(
    doctor: Any, staffeln: Any, cloud: SimCloud, tmp_path: Path
) -> None:
    staffeln.set(POLICY_UNIX_SOCKET=str(tmp_path / "policy.sock"))
    with serving(staffeln, POLICY_TRUSTED_USERS=our_id(cloud, staffeln)):
        said = doctor()
    assert said.level == "ok"
    assert f"unix:{tmp_path}/policy.sock protects" in said.text


@pytest.mark.usefixtures("backed_up")
def test_one_that_would_refuse_our_own_deletions_is_a_problem(
    doctor: Any, staffeln: Any, cloud: SimCloud
) -> None:
    with serving(staffeln):
        said = doctor()
    assert (said.level, said.exit_code) == ("problem", 78)
    assert f"add {our_id(cloud, staffeln)} to policy.trusted_users" in said.advice


@pytest.mark.usefixtures("backed_up")
def test_one_that_asks_another_database_is_a_problem(
    doctor: Any, staffeln: Any, tmp_path: Path, empty_sqlite: Path
) -> None:
    (tmp_path / "other.db").write_bytes(empty_sqlite.read_bytes())
    with serving(staffeln, DATABASE_URL=f"sqlite:///{tmp_path}/other.db"):
        said = doctor()
    assert (said.level, said.exit_code) == ("problem", 78)
    assert "a live backup of ours: while Cinder asks it, any project member may" in said.text
    assert "database.url" in said.advice


def test_one_without_a_database_is_out_of_reach(
    doctor: Any, staffeln: Any, tmp_path: Path
) -> None:
    with serving(staffeln, DATABASE_URL=f"sqlite:///{tmp_path}/none.db"):
        said = doctor()
    assert (said.level, said.exit_code) == ("problem", 69)
    assert "cannot use its database" in said.text


class Stranger(BaseHTTPRequestHandler):
    """A server of something else, which finds everything in order."""

    status = 200

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def answer(self) -> None:
        """Welcome."""
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b"<h1>welcome</h1>")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("status", "trusted", "told", "level"),
    [
        (200, "us", "for an unknown backup", "problem"),
        (404, "us", "is not a policy endpoint", "problem"),
        (404, "", "is not a policy endpoint", "warning"),
    ],
)
def test_something_else_that_answers_there_is_told_and_a_problem_where_one_is_used(
    doctor: Any, staffeln: Any, status: int, trusted: str, told: str, level: str
) -> None:
    handler = type("Handler", (Stranger,), {"status": status})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        staffeln.set(POLICY_PORT=str(server.server_port), POLICY_TRUSTED_USERS=trusted)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        said = doctor()
        server.shutdown()
        thread.join()
    assert said.level == level
    assert told in said.text
