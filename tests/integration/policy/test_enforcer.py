"""The real oslo.policy asks: what a user of Cinder may delete."""

import socket
from typing import Any

import pytest
from oslo_config import cfg
from oslo_policy import opts, policy

from staffeln_cli.model import State
from tests.integration.policy.conftest import MANUAL, OURS, Endpoint, Remember, a_target

PROJECT = "29e97e595ae8464cb13bf5e6bda53b51"
MEMBER = {"user_id": "alice", "project_id": PROJECT, "roles": ["member", "reader"]}
READER = {"user_id": "ron", "project_id": PROJECT, "roles": ["reader"]}
STRANGER = {"user_id": "eve", "project_id": "another", "roles": ["member"]}
ROBOT = {"user_id": "robot", "project_id": PROJECT, "roles": ["member"]}
ADMIN = {"user_id": "root", "project_id": "admin", "roles": ["admin"]}

XENA = "rule:xena_system_admin_or_project_member and http:{address}/v1/backup?backup_id=%(id)s"
ADMIN_OR = (
    "rule:admin_api or (role:member and project_id:%(project_id)s"
    " and http:{address}/v1/backup?backup_id=%(id)s)"
)
TYPES = ["application/x-www-form-urlencoded", "application/json"]


def an_enforcer(rule: str, endpoint_url: str, content_type: str = TYPES[0]) -> policy.Enforcer:
    """Cinder's enforcer, with Cinder's rules that ours builds on."""
    conf = cfg.ConfigOpts()
    conf([])
    opts.set_defaults(conf, policy_file="nonexistent.yaml")
    conf.set_override("remote_content_type", content_type, group="oslo_policy")
    conf.set_override("remote_timeout", 5, group="oslo_policy")
    enforcer = policy.Enforcer(conf, use_conf=False)
    xena = "(role:admin) or (role:member and project_id:%(project_id)s)"
    enforcer.set_rules(
        policy.Rules.from_dict(
            {
                "admin_api": "role:admin",
                "xena_system_admin_or_project_member": xena,
                "backup:delete": rule.format(address=endpoint_url.removeprefix("http:")),
            }
        )
    )
    return enforcer


@pytest.fixture(params=TYPES)
def content_type(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture(params=[XENA, ADMIN_OR], ids=["xena", "admin-or-member"])
def rule(request: pytest.FixtureRequest) -> str:
    text: str = request.param
    return text


@pytest.fixture
def cinder(
    endpoint: Endpoint, remember: Remember, rule: str, content_type: str
) -> policy.Enforcer:
    """An enforcer, while one automatic backup is available."""
    remember(State.AVAILABLE)
    return an_enforcer(rule, endpoint.url, content_type)


def may_delete(enforcer: policy.Enforcer, who: dict[str, Any], backup_id: str) -> bool:
    target = a_target(backup_id, project_id=PROJECT)
    return bool(enforcer.enforce("backup:delete", target, who))


def test_a_member_may_delete_manual_backups_but_not_automatic_ones(
    cinder: policy.Enforcer,
) -> None:
    assert may_delete(cinder, MEMBER, MANUAL)
    assert not may_delete(cinder, MEMBER, OURS)


def test_staffelns_user_may_delete_both(cinder: policy.Enforcer) -> None:
    assert may_delete(cinder, ROBOT, MANUAL)
    assert may_delete(cinder, ROBOT, OURS)


@pytest.mark.parametrize("who", [READER, STRANGER])
def test_who_could_not_delete_before_still_cannot(
    cinder: policy.Enforcer, who: dict[str, Any]
) -> None:
    assert not may_delete(cinder, who, MANUAL)
    assert not may_delete(cinder, who, OURS)


def test_an_admin_is_asked_for_by_the_first_rule_and_not_by_the_second(
    endpoint: Endpoint, remember: Remember
) -> None:
    remember(State.AVAILABLE)
    assert not may_delete(an_enforcer(XENA, endpoint.url), ADMIN, OURS)
    assert may_delete(an_enforcer(ADMIN_OR, endpoint.url), ADMIN, OURS)


def test_a_backup_whose_reply_was_lost_is_protected_through_the_enforcer(
    endpoint: Endpoint, remember: Remember, content_type: str
) -> None:
    remember(State.STARTING, backup_id=None)
    enforcer = an_enforcer(XENA, endpoint.url, content_type)
    lost = a_target(OURS, project_id=PROJECT, display_name="web_root_20261122T120000Z_4fa2")
    assert not enforcer.enforce("backup:delete", lost, MEMBER)


def test_nobody_but_admin_may_delete_while_the_endpoint_is_stopped(rule: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as used:
        port = used.getsockname()[1]
    enforcer = an_enforcer(rule, f"http://127.0.0.1:{port}")
    for who in (MEMBER, ROBOT):
        with pytest.raises(OSError, match="Connection refused"):
            may_delete(enforcer, who, MANUAL)
    if rule is ADMIN_OR:
        assert may_delete(enforcer, ADMIN, MANUAL)


def test_a_database_that_is_gone_is_a_denial(serve: Any, tmp_path: Any, rule: str) -> None:
    endpoint = serve(f"sqlite:///{tmp_path / 'none.db'}", trusted_users="robot")
    enforcer = an_enforcer(rule, endpoint.url)
    assert not may_delete(enforcer, MEMBER, MANUAL)
    assert not may_delete(enforcer, ROBOT, MANUAL)
