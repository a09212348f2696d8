"""What the endpoint answers on real databases."""

import json
from typing import Any

import pytest

from staffeln_cli.model import State
from staffeln_cli.model.lifecycle import LIVE
from tests.integration.policy.conftest import (
    MANUAL,
    OURS,
    Endpoint,
    Remember,
    Serve,
    a_target,
    credentials,
)


def test_a_strangers_backup_gets_exactly_true(endpoint: Endpoint) -> None:
    answer = endpoint.ask(MANUAL)
    assert (answer.status_code, answer.content) == (200, b"True")
    assert answer.headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize("state", sorted(LIVE))
def test_a_live_backup_gets_exactly_false(
    endpoint: Endpoint, remember: Remember, state: State
) -> None:
    remember(state)
    assert endpoint.ask(OURS).content == b"False"


def test_a_backup_that_is_deleted_is_protected_no_more(
    endpoint: Endpoint, remember: Remember
) -> None:
    remember(State.DELETED)
    assert endpoint.ask(OURS).content == b"True"


def test_a_missing_backup_that_cinder_asks_about_is_there_and_protected(
    endpoint: Endpoint, remember: Remember
) -> None:
    remember(State.MISSING)
    assert endpoint.ask(OURS).content == b"False"


def test_a_backup_that_bears_our_mark_is_protected_although_no_record_knows_it(
    endpoint: Endpoint,
) -> None:
    marked = {"staffeln:record": "4fa2fb16-a207-4431-90b7-210de0181f8c"}
    assert endpoint.ask(OURS, metadata=marked).content == b"False"
    assert endpoint.ask(OURS, metadata=marked, user_id="robot").content == b"True"


def test_staffelns_own_user_may_delete_its_backups(endpoint: Endpoint, remember: Remember) -> None:
    remember(State.AVAILABLE)
    assert endpoint.ask(OURS, user_id="robot").content == b"True"


def test_without_trusted_users_nobody_is_one(
    database_url: str, serve: Serve, remember: Remember
) -> None:
    remember(State.AVAILABLE)
    assert serve(database_url).ask(OURS, user_id="").content == b"False"


@pytest.mark.parametrize(
    "told",
    [
        {"display_name": "web_root_20261122T120000Z_4fa2"},
        {"metadata": {"staffeln:record": "4fa2fb16-a207-4431-90b7-210de0181f8c"}},
        {"created_at": "2026-11-22T22:00:01Z"},
        {"created_at": "2026-11-22T22:00:01.000000"},
        {"created_at": "nobody knows"},
    ],
)
def test_a_backup_whose_create_reply_was_lost_is_recognised(
    endpoint: Endpoint, remember: Remember, told: dict[str, Any]
) -> None:
    remember(State.STARTING, backup_id=None)
    assert endpoint.ask(OURS, **told).content == b"False"


def test_an_older_manual_backup_of_a_volume_that_is_being_started_may_be_deleted(
    endpoint: Endpoint, remember: Remember
) -> None:
    remember(State.STARTING, backup_id=None)
    assert endpoint.ask(MANUAL, created_at="2026-11-21T12:00:00Z").content == b"True"


def test_json_is_understood_as_well_as_a_form(endpoint: Endpoint, remember: Remember) -> None:
    remember(State.AVAILABLE)
    for backup_id, answer in ((OURS, b"False"), (MANUAL, b"True")):
        posted = {"rule": "r", "target": a_target(backup_id), "credentials": credentials()}
        assert endpoint.post(f"?backup_id={backup_id}", json=posted).content == answer


def test_the_id_alone_is_enough_of_a_question(endpoint: Endpoint, remember: Remember) -> None:
    remember(State.AVAILABLE)
    assert endpoint.post(f"?backup_id={OURS}").content == b"False"
    assert endpoint.post(f"?backup_id={MANUAL}").content == b"True"


def test_any_name_survives_the_form(endpoint: Endpoint, remember: Remember) -> None:
    name = '100%25 "q" + a&b=c; ünïcödé 💾 \\u0041 %2B %zz'
    remember(State.STARTING, backup_id=None, name=name, volume_id="another")
    assert endpoint.ask(OURS, display_name=name).content == b"False"
    assert endpoint.ask(OURS, display_name=name + "x").content == b"True"


def test_a_backup_is_protected_from_the_moment_its_record_is_committed(
    endpoint: Endpoint, remember: Remember
) -> None:
    assert endpoint.ask(OURS).content == b"True"
    remember(State.CREATING)
    assert endpoint.ask(OURS).content == b"False"


def test_health_is_good_while_the_database_answers(endpoint: Endpoint) -> None:
    answer = endpoint.get("/v1/health")
    assert (answer.status_code, answer.text) == (200, "ok")


def test_figures_count_the_requests_by_answer(endpoint: Endpoint, remember: Remember) -> None:
    remember(State.AVAILABLE)
    endpoint.ask(OURS)
    endpoint.ask(MANUAL)
    endpoint.ask("garbage")
    figures = endpoint.get("/metrics").text
    for line in (
        'staffeln_policy_requests_total{answer="allowed"} 1.0',
        'staffeln_policy_requests_total{answer="denied"} 1.0',
        'staffeln_policy_requests_total{answer="bad_request"} 1.0',
        "staffeln_policy_request_seconds_count 3.0",
        "staffeln_policy_database_errors_total 0.0",
    ):
        assert line in figures


def test_the_access_log_is_a_line_of_json_for_each_request_when_wanted(
    sqlite_url: str, serve: Serve, capfd: pytest.CaptureFixture[str]
) -> None:
    serve(sqlite_url).ask(MANUAL)
    assert capfd.readouterr().err == ""
    serve(sqlite_url, access_log="true").ask(MANUAL, user_id="eve\n[]")
    line = json.loads(capfd.readouterr().err)
    assert line.pop("duration_ms") > 0
    assert line.pop("at").endswith("Z")
    assert line == {
        "from": "127.0.0.1",
        "method": "POST",
        "path": "/v1/backup",
        "status": 200,
        "answer": "allowed",
        "reason": "no live backup of Staffeln's",
        "backup_id": MANUAL,
        "user_id": "eve\n[]",
    }
