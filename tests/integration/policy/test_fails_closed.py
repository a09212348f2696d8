"""Whatever is asked wrongly, no answer's body is `True`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.integration.policy.conftest import MANUAL, Endpoint, a_target, served

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def strict(empty_sqlite: Path) -> Iterator[Endpoint]:
    """An endpoint that says `True` to any question asked properly."""
    with served(f"sqlite:///{empty_sqlite}") as endpoint:
        assert endpoint.ask(MANUAL).content == b"True"
        yield endpoint


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "?backup_id",
        "?backup_id=",
        "?backup_id=garbage",
        "?backup_id=True",
        "?backup_id=%00",
        f"?backup_id={MANUAL}%00",
        f"?backup_id={MANUAL}%0A",
        f"?backup_id=%20{MANUAL}",
        f"?backup_id={MANUAL.upper().replace('1', 'A')}",
        f"?backup_id={MANUAL.replace('-', '')}",
        f"?backup_id={{{MANUAL}}}",
        f"?backup_id={MANUAL}&backup_id={MANUAL}",
        f"?backup_id={MANUAL},{MANUAL}",
        f"?backup_id={MANUAL}&backup_id=",
        f"?BACKUP_ID={MANUAL}",
        f"?id={MANUAL}",
        "?backup_id=%(id)s",
        "?backup_id=\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661-a207-4431-90b7-210de0181f8c",
        "?backup_id=' OR 1=1 --",
        "?" + "&".join(f"a{number}=1" for number in range(20)) + f"&backup_id={MANUAL}",
    ],
)
def test_an_id_that_is_missing_malformed_or_given_twice_is_a_bad_request(
    strict: Endpoint, query: str
) -> None:
    answer = strict.post(query)
    assert answer.status_code == 400
    assert answer.text != "True"


def test_an_id_in_the_body_only_is_a_bad_request(strict: Endpoint) -> None:
    for body in ({"data": {"backup_id": MANUAL}}, {"json": {"backup_id": MANUAL}}):
        assert strict.post("", **body).status_code == 400


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (JSON, b"{"),
        (JSON, b"[]"),
        (JSON, b'"True"'),
        (JSON, b"\x00"),
        (JSON, b'{"target": "x"}'),
        (JSON, b'{"target": {"volume_id": 7}}'),
        (JSON, b'{"target": {"display_name": "a\\u0000b"}}'),
        (JSON, b'{"target": {"display_name": "\\ud800"}}'),
        (JSON, b'{"target": {"display_name": "\xff"}}'),
        (JSON, b'{"credentials": {"user_id": ["robot"]}}'),
        (JSON, b'{"target": {"metadata": ' + b"[" * 200_000),
        (FORM, b"target=%7B"),
        (FORM, b"target=%7B%7"),
        (FORM, b"target=%7B%%7D"),
        (FORM, b"target=%7B%zz%7D"),
        (FORM, b"target=%7B%\n%7D"),
        (FORM, b"target=%00"),
        (FORM, b"target=%ff%fe"),
        (FORM, b"target=null&target=null"),
        (FORM, b"target=%22x%22"),
        (FORM, b"credentials=7"),
        (FORM, b"target=" + json.dumps({"metadata": 1}).encode()),
    ],
)
def test_a_body_that_is_not_what_oslo_policy_posts_is_a_bad_request(
    strict: Endpoint, headers: dict[str, str], body: bytes
) -> None:
    answer = strict.post(f"?backup_id={MANUAL}", headers=headers, data=body)
    assert answer.status_code == 400
    assert answer.text != "True"


def test_a_target_with_another_id_than_the_query_is_a_bad_request(strict: Endpoint) -> None:
    other = {"target": a_target("22222222-a207-4431-90b7-210de0181f8c")}
    assert strict.post(f"?backup_id={MANUAL}", json=other).status_code == 400


@pytest.mark.parametrize("kind", ["", "text/plain", "multipart/form-data; boundary=x"])
def test_a_body_of_another_type_is_refused(strict: Endpoint, kind: str) -> None:
    answer = strict.post(f"?backup_id={MANUAL}", headers={"Content-Type": kind}, data=b"x")
    assert answer.status_code == 415
    assert answer.text != "True"


def test_a_body_of_ten_megabytes_is_refused(strict: Endpoint) -> None:
    try:
        answer = strict.post(f"?backup_id={MANUAL}", headers=FORM, data=b"target=" + b"x" * 10**7)
    except requests.ConnectionError:
        return  # the refusal came before all was sent
    assert answer.status_code == 413
    assert answer.text != "True"


def test_a_body_of_ten_megabytes_that_does_not_say_so_is_refused(strict: Endpoint) -> None:
    try:
        answer = strict.post(f"?backup_id={MANUAL}", headers=FORM, data=iter([b"x" * 10**6] * 10))
    except requests.ConnectionError:
        return
    assert answer.status_code == 413
    assert answer.text != "True"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRUE"])
def test_another_method_is_refused(strict: Endpoint, method: str) -> None:
    answer = requests.request(method, f"{strict.url}/v1/backup?backup_id={MANUAL}", timeout=10)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert answer.text != "True"


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/backup/", "/v1/backups", "/v2/backup", "/V1/BACKUP"]
)
def test_an_unknown_path_is_not_found(strict: Endpoint, path: str) -> None:
    answer = requests.post(f"{strict.url}{path}?backup_id={MANUAL}", timeout=10)
    assert answer.status_code == 404
    assert answer.text != "True"


@pytest.mark.parametrize("path", ["/v1/health", "/metrics"])
def test_health_and_figures_are_no_answer_to_the_question(strict: Endpoint, path: str) -> None:
    for answer in (strict.get(path), requests.post(strict.url + path, timeout=10)):
        assert answer.text != "True"


def test_odd_but_proper_targets_are_answered(strict: Endpoint) -> None:
    odd: list[dict[str, Any]] = [
        {"metadata": None},
        {"metadata": {"staffeln:record": 7, "deep": [[["x"]]]}},
        {"display_name": None, "created_at": None},
        {"display_name": "x" * 60_000},
        {"unheard_of": {"in": "this release"}},
    ]
    for target in odd:
        assert strict.ask(MANUAL, **target).content == b"True"
