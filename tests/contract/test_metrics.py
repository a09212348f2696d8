"""The metrics and performance data for monitoring are the recorded ones (see `recording.py`)."""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlencode

from prometheus_client.parser import text_string_to_metric_families

from staffeln_cli.demo.simcloud import SimCloud
from tests.conftest import Staffeln
from tests.contract.recording import compare

PATIENCE = 20.0
FOREIGN = "11111111-a207-4431-90b7-210de0181f8c"
OPEN_LABELS = {"cloud", "project_id", "version"}
"""Labels with any value; the values of others are part of the contract."""


def test_the_metrics_of_status_are_as_recorded(cloud: SimCloud, staffeln: Staffeln) -> None:
    _back_up_a_volume(cloud, staffeln)

    exposed = staffeln("status", "--prometheus", "-").stdout

    compare("metrics_of_status.txt", _series(exposed))


def test_the_performance_data_of_nagios_are_as_recorded(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    _back_up_a_volume(cloud, staffeln)

    line = staffeln("status", "--nagios").stdout

    said, figures = line.split(" | ")
    figures = re.sub(r"=\d+", "=N", figures).replace(" ", "\n")
    compare("nagios.txt", f"{' '.join(said.split()[:2])}\n{figures}")


def test_the_answers_and_metrics_of_the_policy_endpoint_are_as_recorded(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    _back_up_a_volume(cloud, staffeln)
    ours = cloud.backups()[0]["id"]

    with _policy_endpoint(staffeln, tmp_path / "socket") as unix_socket:
        answers = [
            _answer(unix_socket, "health", "GET", "/v1/health"),
            _answer(unix_socket, "a backup of Staffeln", *_question(ours)),
            _answer(unix_socket, "a backup of somebody else", *_question(FOREIGN)),
            _answer(unix_socket, "no backup id", "POST", "/v1/backup"),
            _answer(unix_socket, "wrong method", "GET", "/v1/backup"),
            _answer(unix_socket, "unknown path", "GET", "/nowhere"),
        ]
        metrics = _ask(unix_socket, "GET", "/metrics")[1]

    compare("policy_endpoint.txt", "".join(answers) + "\n" + _series(metrics))


def _back_up_a_volume(cloud: SimCloud, staffeln: Staffeln) -> None:
    cloud.people.add_project("shop")
    server = cloud.things.add_server("web", project="shop", metadata={"__staffeln_backup": "true"})
    cloud.things.add_volume("data", project="shop", server=server)
    staffeln.cycle("collect", "backup")
    cloud.steering.finish_backups()
    staffeln.cycle("check", "retain", "report")


def _series(exposed: str) -> str:
    """Names, types and labels, without values."""
    lines = []
    for family in text_string_to_metric_families(exposed):
        lines.append(f"{family.type} {family.name}\n")
        labels: dict[str, list[str]] = defaultdict(list)
        for sample in family.samples:
            said = (
                name if name in OPEN_LABELS else f'{name}="{value}"'
                for name, value in sorted(sample.labels.items())
            )
            labels[sample.name].append("{" + ", ".join(said) + "}")
        lines += [f"  {name}{one}\n" for name in sorted(labels) for one in sorted(labels[name])]
    return "".join(lines)


def _question(backup_id: str) -> tuple[str, str, str]:
    """What oslo.policy posts when somebody wants to delete a backup."""
    form = {
        "rule": json.dumps("backup:delete"),
        "target": json.dumps({"id": backup_id, "created_at": "2001-01-01T00:00:00"}),
        "credentials": json.dumps({"user_id": "somebody"}),
    }
    return "POST", f"/v1/backup?backup_id={backup_id}", urlencode(form)


def _answer(unix_socket: Path, name: str, method: str, path: str, body: str | None = None) -> str:
    response, text = _ask(unix_socket, method, path, body)
    shown = f" {text}" if response.status == http.client.OK else ""
    return f"{name}: {response.status} {response.headers['Content-Type']}{shown}\n"


def _ask(
    unix_socket: Path, method: str, path: str, body: str | None = None
) -> tuple[http.client.HTTPResponse, str]:
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    with closing(http.client.HTTPConnection("staffeln", timeout=PATIENCE)) as connection:
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(unix_socket))
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        text = response.read().decode()
    return response, text


@contextmanager
def _policy_endpoint(staffeln: Staffeln, unix_socket: Path) -> Iterator[Path]:
    """`staffeln serve-policy` in a process of its own."""
    words = [sys.executable, "-m", "staffeln_cli", "serve-policy", "--unix-socket"]
    with subprocess.Popen(
        [*words, str(unix_socket)], env={**os.environ, **staffeln.environ}
    ) as process:
        try:
            _wait_for(unix_socket)
            yield unix_socket
        finally:
            process.terminate()


def _wait_for(unix_socket: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not _answers(unix_socket):
        assert time.monotonic() < deadline, "the endpoint does not answer"
        time.sleep(0.05)


def _answers(unix_socket: Path) -> bool:
    try:
        _ask(unix_socket, "GET", "/v1/health")
    except OSError:
        return False
    return True
