"""What an operator may get wrong before anything runs: each time one sentence and a code."""

import os
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import (
    CloudUnavailable,
    ConfigError,
    StoreUnavailable,
)
from tests.acceptance.builders import a_volume
from tests.conftest import Staffeln

CYCLE = ("collect", "backup", "check", "retain")


@pytest.mark.parametrize("command", CYCLE)
def test_every_mistake_in_the_configuration_is_named_at_once(
    staffeln: Staffeln, tmp_path: Path, command: str
) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('[backup]\nmin_intervall = "1d"\nmax_in_flight = "many"\n[colour]\nred = 1\n')
    answer = staffeln("--config", str(file), command)
    assert answer.exit_code == ConfigError.exit_code
    assert answer.stdout == ""
    for word in (str(file), "min_intervall", "backup.max_in_flight", "colour"):
        assert word in answer.stderr


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("BACKUP_MIN_INTERVAL", "30days"),
        ("BACKUP_MIN_INTERVAL", ""),
        ("RETENTION_TIME", "99999y"),
        ("BACKUP_TIMEOUT", "1mon"),
        ("BACKUP_MAX_IN_FLIGHT", "0"),
        ("BACKUP_MAX_IN_FLIGHT", "2147483648"),
        ("CATALOG_PER_PASS", "99999999999999999999"),
        ("MAIL_RECEIVERS", "[" * 5000),
        ("MAIL_SENDER", "b\udcfcro@example.org"),
        ("CLOUD_WORKERS", "many"),
        ("DATABASE_URL", "mysql://user:hush@host/db"),
        ("DATABASE_URL", "nonsense"),
        ("LOCK_URL", "carrier-pigeon://loft"),
        ("LOCK_URL", "redis://:hush@redis..example.org"),
        ("LOCK_URL", f"redis://{'x' * 100}.org"),
        ("DATABASE_URL", "postgresql://user:hush@db..example.org/name"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_with_its_key(
    staffeln: Staffeln, key: str, value: str
) -> None:
    staffeln.set(**{key: value})
    answer = staffeln("collect")
    assert answer.exit_code == ConfigError.exit_code
    assert key.lower().replace("_", ".", 1) in answer.stderr
    assert "hush" not in answer.stderr


def test_a_configuration_file_that_is_not_there_is_named(staffeln: Staffeln) -> None:
    answer = staffeln("--config", "/nowhere/staffeln.toml", "collect")
    assert answer.exit_code == ConfigError.exit_code
    assert "/nowhere/staffeln.toml" in answer.stderr


def test_a_file_nested_without_an_end_is_not_toml(staffeln: Staffeln, tmp_path: Path) -> None:
    file = tmp_path / "deep.toml"
    file.write_text(f"x = {'[' * 5000}")
    answer = staffeln("--config", str(file), "collect")
    assert answer.exit_code == ConfigError.exit_code
    assert f"{file}: is not TOML" in answer.stderr


@pytest.mark.parametrize(
    "arguments", [("catalog", "save"), ("status", "--prometheus")], ids=" ".join
)
def test_a_pipe_or_a_device_is_not_replaced_by_a_file(
    staffeln: Staffeln, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """As root, it would be /dev/null for everybody on the host."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    answer = staffeln(*arguments, str(pipe))
    assert (answer.exit_code, pipe.is_fifo()) == (StoreUnavailable.exit_code, True)
    assert "is no regular file" in answer.stderr


def test_an_unknown_cloud_is_a_mistake_in_the_configuration(staffeln: Staffeln) -> None:
    answer = staffeln("--os-cloud", "atlantis", "collect")
    assert answer.exit_code == ConfigError.exit_code
    assert "atlantis" in answer.stderr


def test_a_wrong_password_is_refused_without_a_word_of_it(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text(cloud.clouds_yaml().replace("password: secret", "password: hush-hush"))
    answer = staffeln("collect")
    assert answer.exit_code == CloudUnavailable.exit_code
    assert "refuses the login" in answer.stderr
    assert "hush-hush" not in answer.stderr


@pytest.mark.parametrize("command", CYCLE)
def test_a_cloud_that_is_down_ends_the_pass_and_loses_nothing(
    cloud: SimCloud, staffeln: Staffeln, command: str
) -> None:
    a_volume(cloud)
    staffeln("collect")
    staffeln.set(CLOUD_RETRY_TIMEOUT="0s")
    with cloud.down():
        assert staffeln(command).exit_code == CloudUnavailable.exit_code
    assert staffeln("backup", "-f", "json").counts["started"] == 1


def test_a_database_without_a_schema_asks_for_the_upgrade(
    staffeln: Staffeln, tmp_path: Path
) -> None:
    staffeln.set(DATABASE_URL=f"sqlite:///{tmp_path}/new/empty.db")
    answer = staffeln("collect")
    assert answer.exit_code == ConfigError.exit_code
    assert "staffeln db upgrade" in answer.stderr
    assert not (tmp_path / "new").exists()
    assert staffeln("db", "upgrade").exit_code == 0
    assert staffeln("collect").exit_code == 0


@pytest.mark.parametrize(
    ("revision", "advice"), [("0000", "staffeln db upgrade"), ("9999", "newer Staffeln")]
)
def test_a_database_of_another_version_is_left_alone(
    cloud: SimCloud, staffeln_on_each: Staffeln, revision: str, advice: str
) -> None:
    engine = create_engine(staffeln_on_each.environ["STAFFELN_DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
    engine.dispose()
    answer = staffeln_on_each("collect")
    assert answer.exit_code == ConfigError.exit_code
    assert advice in answer.stderr
    assert cloud.requests == []


def test_a_database_newer_than_the_code_is_not_upgraded(staffeln: Staffeln) -> None:
    engine = create_engine(staffeln.environ["STAFFELN_DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    answer = staffeln("db", "upgrade")
    assert answer.exit_code == ConfigError.exit_code
    assert "newer Staffeln" in answer.stderr


def test_a_database_that_cannot_be_written_ends_the_pass(
    staffeln: Staffeln, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    too_long = f"/{'x' * 5000}/staffeln.db"
    for place in (f"{tmp_path}/file/staffeln.db", "/proc/staffeln.db", str(tmp_path), too_long):
        staffeln.set(DATABASE_URL=f"sqlite:///{place}")
        answer = staffeln("db", "upgrade")
        assert answer.exit_code == StoreUnavailable.exit_code, answer
        assert place in answer.stderr
        assert len(answer.stderr.splitlines()) == 1


def test_a_database_whose_path_is_too_long_is_named(staffeln: Staffeln) -> None:
    staffeln.set(DATABASE_URL=f"sqlite:////{'x' * 300}/staffeln.db")
    answer = staffeln("collect")
    assert answer.exit_code == StoreUnavailable.exit_code
    assert "cannot be reached: File name too long" in answer.stderr


def test_a_file_that_is_no_database_ends_the_pass(staffeln: Staffeln, tmp_path: Path) -> None:
    (tmp_path / "odd.db").write_bytes(b"Dear diary, " * 1000)
    staffeln.set(DATABASE_URL=f"sqlite:///{tmp_path / 'odd.db'}")
    answer = staffeln("collect")
    assert answer.exit_code == StoreUnavailable.exit_code
    assert "not a database" in answer.stderr


def test_a_postgresql_that_refuses_is_named_without_its_password(staffeln: Staffeln) -> None:
    staffeln.set(DATABASE_URL="postgresql://staffeln:hush-hush@127.0.0.1:1/state")
    answer = staffeln("collect")
    assert answer.exit_code == StoreUnavailable.exit_code
    assert "127.0.0.1" in answer.stderr
    assert "hush-hush" not in answer.stderr


TOO_LONG = f"/{'x' * 300}/file"
"""Fails as a file below a folder that may not be entered does, for root, too."""


@pytest.mark.parametrize(
    ("settings", "arguments"),
    [
        ({"REPORT_TEMPLATES": TOO_LONG}, ("report",)),
        ({}, ("db", "import-staffeln", f"sqlite:///{TOO_LONG}")),
        ({"MAIL_SENDER": "a@example.org", "MAIL_HOST": f"{'x' * 100}.org"}, ("report",)),
        ({"MAIL_SENDER": "a@example.org", "MAIL_HOST": "büro..example"}, ("report",)),
        ({"CATALOG_KEY_FILE": "/dev/zero"}, ("catalog", "save", "catalog.gz")),
    ],
)
def test_what_cannot_be_looked_at_or_asked_for_is_named(
    staffeln: Staffeln, settings: dict[str, str], arguments: tuple[str, ...]
) -> None:
    staffeln.set(**settings)
    answer = staffeln(*arguments)
    assert answer.exit_code == ConfigError.exit_code
    assert len(answer.stderr.splitlines()) == 1


def test_a_file_of_clouds_that_cannot_be_looked_at_is_named(
    staffeln: Staffeln, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", TOO_LONG)
    answer = staffeln("collect")
    assert answer.exit_code == ConfigError.exit_code
    assert f"{TOO_LONG}: cannot be read: File name too long" in answer.stderr
