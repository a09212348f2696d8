"""From a file and an environment to settings, or to every mistake at once."""

from datetime import timedelta
from pathlib import Path

import pytest

from staffeln_cli.config import Loaded, find_file, load
from staffeln_cli.config.environment import variable
from staffeln_cli.config.load import keys, masked
from staffeln_cli.errors import ConfigError
from staffeln_cli.model.durations import Duration
from staffeln_cli.planning.retention.policy import Policy


def read(tmp_path: Path, text: str, **environ: str) -> Loaded:
    file = tmp_path / "staffeln.toml"
    file.write_text(text)
    return load(file, {f"STAFFELN_{name}": value for name, value in environ.items()})


def mistakes(tmp_path: Path, text: str, **environ: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text, **environ)
    return caught.value.problems


def test_nothing_at_all_means_the_defaults() -> None:
    loaded = load(None, {})
    assert loaded.file is None
    assert loaded.sources == {}
    assert loaded.settings.retention.time == Duration(exact=timedelta(days=17))


def test_without_an_environment_the_process_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAFFELN_CLOUD_WORKERS", "3")
    assert load(None).settings.cloud.workers == 3


def test_a_file_overrides_the_default_and_the_environment_overrides_the_file(
    tmp_path: Path,
) -> None:
    text = "[cloud]\nworkers = 4\n[retention]\nkeep_last = 5\n"
    loaded = read(tmp_path, text, CLOUD_WORKERS="16")
    assert loaded.settings.cloud.workers == 16
    assert loaded.settings.retention.keep_last == 5
    assert loaded.sources == {
        "cloud.workers": "STAFFELN_CLOUD_WORKERS",
        "retention.keep_last": "file",
    }


def test_the_option_names_the_file_before_the_variable_and_the_variable_before_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "staffeln.toml").touch()
    environ = {"STAFFELN_CONFIG": "/from/variable"}
    assert find_file(Path("/from/option"), environ) == Path("/from/option")
    assert find_file(None, environ) == Path("/from/variable")
    assert find_file(None, {}) == Path("staffeln.toml")


def test_the_variable_that_names_the_file_is_no_key() -> None:
    load(None, {"STAFFELN_CONFIG": "x", "STAFFELN_TEST_CLOUD": "y", "OTHER": "z"})


def test_values_have_the_types_that_code_works_with(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        """
        [cloud]
        name = "prod"
        admin_roles = ["admin", "cloud_admin"]
        request_timeout = "1min30s"
        [backup]
        min_interval = "1mon"
        chain_max_age = "2w"
        [retention]
        brake = 1
        policies.gfs = { daily = 7, monthly = 12, time = "2d" }
        [log]
        file = "/var/log/staffeln.log"
        """,
    ).settings
    assert settings.cloud.name == "prod"
    assert settings.cloud.admin_roles == ("admin", "cloud_admin")
    assert settings.cloud.request_timeout == timedelta(seconds=90)
    assert settings.backup.min_interval == Duration(months=1)
    assert settings.backup.chain_max_age == Duration(exact=timedelta(weeks=2))
    assert settings.retention.brake == 1.0
    two_days = Duration(exact=timedelta(days=2))
    assert settings.retention.policies == {"gfs": Policy(daily=7, monthly=12, time=two_days)}
    assert settings.log.file == Path("/var/log/staffeln.log")


def test_the_environment_can_say_everything_that_a_file_can(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        "",
        CLOUD_ADMIN_ROLES="admin, cloud_admin,",
        POLICY_TRUSTED_USERS='["u,1", "u2"]',
        RETENTION_POLICIES='{"gfs": {"daily": 7}}',
        RETENTION_BRAKE="0.25",
        RETENTION_TIME="1y",
        LOG_FILE="/tmp/x",
        LOG_LEVEL="debug",
        POLICY_ACCESS_LOG="true",
    ).settings
    assert settings.cloud.admin_roles == ("admin", "cloud_admin")
    assert settings.policy.trusted_users == ("u,1", "u2")
    assert settings.retention.policies == {"gfs": Policy(daily=7)}
    assert settings.retention.brake == 0.25
    assert settings.retention.time == Duration(months=12)
    assert settings.log.file == Path("/tmp/x")
    assert settings.log.level == "debug"
    assert settings.policy.access_log


def test_a_text_that_looks_like_a_list_or_a_number_stays_a_text(tmp_path: Path) -> None:
    settings = read(tmp_path, "", CLOUD_NAME="[1]", CLOUD_REGION="007").settings
    assert (settings.cloud.name, settings.cloud.region) == ("[1]", "007")


def test_all_mistakes_are_told_at_once_with_file_and_key_and_expectation(tmp_path: Path) -> None:
    text = """
    top = 1
    [cloud]
    workers = "many"
    speed = 9
    [retention]
    time = "30days"
    [unknown]
    x = 1
    """
    found = mistakes(tmp_path, text, BACKUP_TIMEOUT="soon", SPEED="1")
    file = tmp_path / "staffeln.toml"
    assert len(found) == 7
    for part in (
        f"{file}: [top]: unknown section; known are backup, catalog, cloud,",
        f"{file}: [unknown]: unknown section",
        f"{file}: cloud.speed: unknown key; [cloud] knows name, region,",
        f"{file}: cloud.workers: Expected 'int', got 'str'",
        f"{file}: retention.time: '30days' is not a duration such as",
        "environment variable STAFFELN_BACKUP_TIMEOUT: backup.timeout: 'soon' is not a duration",
        "environment variable STAFFELN_SPEED: no such key; expected STAFFELN_SECTION_KEY",
    ):
        assert any(part in one for one in found), part


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("cloud = 1", "expected a section [cloud] with keys"),
        ("cloud.workers = true", "cloud.workers: Expected 'int', got 'bool'"),
        ("cloud.workers = 0", "cloud.workers: Expected 'int' >= 1"),
        ("cloud.workers = 65", "cloud.workers: Expected 'int' <= 64"),
        ("cloud.admin_roles = []", "cloud.admin_roles: Expected 'array' of length >= 1"),
        ("cloud.admin_roles = 7", "cloud.admin_roles: Expected 'array', got 'int'"),
        ("cloud.request_timeout = '0s'", "no time at all; expected a time-out longer than 0s"),
        ("mail.timeout = '0min'", "no time at all; expected a time-out longer than 0s"),
        ("backup.timeout = '0s'", "no time at all; expected a time-out longer than 0s"),
        ("lock.lease = '0s'", "no time at all; expected a time-out longer than 0s"),
        ("cloud.request_timeout = 60", "60 is not a duration such as"),
        ("cloud.request_timeout = '1mon'", "has years or months, whose length varies"),
        ("backup.min_interval = ''", "'' is not a duration such as"),
        ("backup.min_interval = '101y'", "is longer than 100 years"),
        ("backup.min_interval = '1s1d'", "is not a duration such as"),
        ("backup.full_backup_depth = -1", "Expected 'int' >= 0"),
        ("retention.brake = 0", "retention.brake: Expected 'float' > 0"),
        ("retention.metadata_key = ''", "Expected 'str' of length >= 1"),
        ("retention.policies = 7", "7 is not a table"),
        ("retention.policies.x = 7", "7 is not a table"),
        (
            "retention.policies.x = { dayly = 7 }",
            "policy 'x': dayly: unknown rule; known are last",
        ),
        ("retention.policies.x = { daily = -1 }", "policy 'x': Expected 'int' >= 0"),
        ("retention.policies.x = { time = 'soon' }", "'soon' is not a duration"),
        ("retention.policies.x = {}", "policy 'x' keeps nothing"),
        ("retention.policies.x = { time = '0s' }", "policy 'x' keeps nothing"),
        ("retention.policies.1d = { daily = 7 }", "policy '1d': its name reads as a duration"),
        ("retention.policies.' x' = { daily = 7 }", "has no spaces around it"),
        ("retention.policies.'' = { daily = 7 }", "a name is not empty"),
        ("log.level = 'loud'", "log.level: Invalid enum value 'loud'"),
        ("verify.boot_pattern = 7", "7 is not a regular expression; write it as a string"),
        ("verify.boot_pattern = '('", "'(' is not a regular expression: missing )"),
        ("log.file = 7", "7 is not a path"),
        ("log.file = ''", "'' is not a path"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(tmp_path: Path, line: str, expected: str) -> None:
    (found,) = mistakes(tmp_path, line)
    assert expected in found


def test_json_in_the_environment_that_is_none_is_a_mistake_like_others(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, "", RETENTION_POLICIES="{")
    assert found.startswith("environment variable STAFFELN_RETENTION_POLICIES: retention.policies")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.toml: cannot be read: No such file"):
        load(tmp_path / "nowhere.toml", {})


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path, {})


@pytest.mark.parametrize("content", [b"[cloud", b"a = \xff", b"a = 1\na = 2", b"\x00"])
def test_what_is_not_toml_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "staffeln.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"staffeln\.toml: is not TOML: "):
        load(file, {})


@pytest.mark.parametrize("number", [2**31, 2**63, 10**30])
def test_a_number_that_no_database_can_hold_is_refused(tmp_path: Path, number: int) -> None:
    (problem,) = mistakes(tmp_path, f"[backup]\nmax_in_flight = {number}")
    assert problem.endswith("backup.max_in_flight: Expected 'int' <= 2147483647")


def test_a_text_that_can_be_no_name_of_anything_is_refused(tmp_path: Path) -> None:
    (problem,) = mistakes(tmp_path, '[cloud]\nname = "prod\\u0000"')
    assert "cloud.name" in problem
    assert "NUL" in problem


def test_every_key_has_a_variable_of_its_own() -> None:
    names = [variable(name) for name in keys()]
    assert "STAFFELN_RETENTION_KEEP_LAST" in names
    assert len(set(names)) == len(names)


def test_secrets_are_hidden_and_everything_else_is_not() -> None:
    assert masked("database.url", "postgresql://u:secret@h/d") == "postgresql://u:***@h/d"
    assert masked("mail.password", "secret") == "***"
    assert masked("mail.password", None) is None
    assert masked("other.api_token", "secret") == "***"
    assert masked("mail.password_file", "/run/secret") == "/run/secret"
    assert masked("cloud.name", "a:b@c") == "a:b@c"


@pytest.mark.parametrize(
    "key", ["cloud.admin_roles", "mail.receivers", "notify.urls", "notify.on"]
)
def test_a_bare_string_is_a_list_of_one(tmp_path: Path, key: str) -> None:
    section, name = key.split(".")
    settings = read(tmp_path, f"{key} = 'start'").settings
    assert getattr(getattr(settings, section), name) == ("start",)


def test_the_old_section_for_retention_is_understood_and_named(tmp_path: Path) -> None:
    loaded = read(tmp_path, "[retain]\ntime_budget = '1min'", RETAIN_MAX_IN_FLIGHT="7")
    assert loaded.settings.retention.time_budget == timedelta(minutes=1)
    assert loaded.settings.retention.max_in_flight == 7
    assert loaded.old_names == {
        "retention.time_budget": "retain.time_budget",
        "retention.max_in_flight": "retain.max_in_flight",
    }


def test_a_key_under_both_of_its_names_is_a_mistake(tmp_path: Path) -> None:
    text = "retain.time_budget = '1min'\nretention.time_budget = '2min'"
    (problem,) = mistakes(tmp_path, text)
    assert "is called retention.time_budget now, and that is set, too" in problem
    (problem,) = mistakes(tmp_path, "retain.brake = 1")
    assert "retain.brake: unknown key" in problem


KUBERNETES = {
    "SERVICE_HOST": "10.96.0.7",
    "SERVICE_PORT": "8808",
    "SERVICE_PORT_HTTP": "8808",
    "PORT": "tcp://10.96.0.7:8808",
    "PORT_8808_TCP": "tcp://10.96.0.7:8808",
    "PORT_8808_TCP_ADDR": "10.96.0.7",
    "PORT_8808_TCP_PORT": "8808",
    "PORT_8808_TCP_PROTO": "tcp",
    "POLICY_SERVICE_HOST": "10.96.0.7",
    "POLICY_PORT": "tcp://10.96.0.7:8808",
    "POLICY_PORT_8808_TCP_ADDR": "10.96.0.7",
}


def test_what_kubernetes_says_about_services_is_no_setting(tmp_path: Path) -> None:
    loaded = read(tmp_path, "", **KUBERNETES)
    assert loaded.sources == {}
    assert loaded.settings.policy.port == 8808


def test_a_number_in_a_variable_is_still_the_port(tmp_path: Path) -> None:
    assert read(tmp_path, "", POLICY_PORT="80").settings.policy.port == 80
    (problem,) = mistakes(tmp_path, "", SERVICE="x")
    assert "STAFFELN_SERVICE: no such key" in problem


def test_a_newline_at_the_end_of_a_variable_is_not_part_of_the_value(tmp_path: Path) -> None:
    settings = read(tmp_path, "", LOG_FILE="/tmp/x\r\n", MAIL_PASSWORD=" pass word \n").settings
    assert settings.log.file == Path("/tmp/x")
    assert settings.mail.password == " pass word "
