"""The configuration of Staffeln 2, and what becomes of each option."""

import tomllib
from pathlib import Path

import pytest

from staffeln_cli.commands import import_config
from staffeln_cli.config import Settings, load
from staffeln_cli.config.staffeln2 import Option, imported_from, options_of
from staffeln_cli.errors import ConfigError

WRITTEN = """\
[DEFAULT]
debug = true
state_path = /var/lib/staffeln

[conductor]
backup-metadata-key = "__automated_backup"
retention_metadata_key = '__keep'
backup_workers = 4
# how often
backup_service_period = 1200
backup_min_interval = 86400
backup_cycle_timout = 6h
retention_time = 2w
full_backup_depth = 4
report_period = 172800

[openstack]
retry_timeout = 600
skip_retry_codes = 404,403

[database]
connection = mysql+pymysql://staffeln:hush@db.example.com/staffeln
max_pool_size = 1

[coordination]
backend_url = etcd3+http://etcd:2379

[api]
port = 9000
enabled_ssl = true

[notification]
receiver = a@example.org,
    b@example.org
sender_email = staffeln@example.org
sender_pwd = hush
smtp_server_domain = mail.example.org
smtp_server_port = 587

[keystone_authtoken]
www_authenticate_uri = http://keystone
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "staffeln.conf"
    file.write_text(WRITTEN)
    return file


def settings_of(file: Path) -> Settings:
    """What holds here after what was written is imported."""
    imported = file.with_suffix(".toml")
    imported.write_text(import_config.run(file))
    return load(imported, {}).settings


def test_what_was_configured_holds_here(file: Path) -> None:
    settings = settings_of(file)
    assert settings.select.metadata_key == "__automated_backup"
    assert settings.retention.metadata_key == "__keep"
    assert str(settings.backup.min_interval) == "1d"
    assert settings.backup.timeout.total_seconds() == 6 * 3600
    assert settings.backup.full_backup_depth == 4
    assert str(settings.retention.time) == "2w"
    assert str(settings.report.period) == "2d"
    assert settings.cloud.retry_timeout.total_seconds() == 600
    assert settings.mail.receivers == ("a@example.org", "b@example.org")
    assert settings.mail.sender == "staffeln@example.org"
    assert (settings.mail.host, settings.mail.port) == ("mail.example.org", 587)
    assert settings.mail.security == "starttls"
    assert (settings.policy.host, settings.policy.port) == ("0.0.0.0", 9000)


def test_each_value_says_where_it_came_from(file: Path) -> None:
    lines = import_config.run(file).splitlines()
    assert 'time = "2w"  # [conductor] retention_time' in lines
    assert 'host = "0.0.0.0"  # the default of Staffeln 2 for [api] host' in lines
    assert 'security = "starttls"  # what Staffeln 2 always does' in lines


@pytest.mark.parametrize(
    ("option", "advice"),
    [
        ("[conductor] backup_workers", "backup.max_in_flight"),
        ("[conductor] backup_service_period", "`staffeln run` every 20 minutes"),
        ("[openstack] skip_retry_codes", "decided by the program"),
        ("[database] connection", "staffeln db import-staffeln"),
        ("[database] max_pool_size", "nothing to set"),
        ("[coordination] backend_url", "lock.url"),
        ("[api] enabled_ssl", "proxy"),
        ("[notification] sender_pwd", 'mail.user = "staffeln@example.org"'),
        ("[keystone_authtoken] www_authenticate_uri", "leave it out"),
        ("[DEFAULT] debug", "log.level"),
        ("[DEFAULT] state_path", "in the database"),
    ],
)
def test_what_is_not_carried_over_is_named_with_what_to_do(
    file: Path, option: str, advice: str
) -> None:
    (line,) = [line for line in import_config.run(file).splitlines() if f"# {option}: " in line]
    assert advice in line


def test_no_option_is_lost(file: Path) -> None:
    text = import_config.run(file)
    assert [str(option) for option in options_of(WRITTEN) if str(option) not in text] == []


def test_no_password_is_copied(file: Path) -> None:
    assert "hush" not in import_config.run(file)


def test_without_options_it_goes_on_as_staffeln_2_did(tmp_path: Path) -> None:
    empty = tmp_path / "staffeln.conf"
    empty.write_text("")
    settings = settings_of(empty)
    assert settings.select.metadata_key == "", "every server"
    assert str(settings.backup.min_interval) == "30min"
    assert settings.backup.full_backup_depth == 2
    assert "Not carried over" not in import_config.run(empty)


@pytest.mark.parametrize(
    ("option", "text", "advice"),
    [
        (Option("coordination", "backend_url"), "", "kubernetes://NAMESPACE"),
        (Option("conductor", "retention_service_period"), "often", "`staffeln retain` every 15"),
        (Option("notification", "sender_pwd"), "x", 'mail.user = "NAME"'),
    ],
)
def test_advice_fits_the_value(option: Option, text: str, advice: str) -> None:
    (left_out,) = imported_from({option: text}).left_out
    assert advice in left_out.advice


def test_an_option_without_a_value_is_one_that_is_not_set() -> None:
    named = {
        each.key for each in imported_from({Option("conductor", "retention_time"): ""}).imported
    }
    assert "retention.time" not in named


def test_all_values_that_are_not_understood_are_named_at_once(tmp_path: Path) -> None:
    wrong = tmp_path / "staffeln.conf"
    wrong.write_text("[conductor]\nretention_time = soon\nfull_backup_depth = -1\n")
    with pytest.raises(ConfigError) as raised:
        import_config.run(wrong)
    assert [problem.partition(": ")[2][:30] for problem in raised.value.problems] == [
        "[conductor] full_backup_depth:"[:30],
        "[conductor] retention_time: 's"[:30],
    ]


@pytest.mark.parametrize("content", [b"nothing like it", b"[conductor]\n\xff = 1\n"])
def test_a_file_of_another_kind_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    other = tmp_path / "other"
    other.write_bytes(content)
    with pytest.raises(ConfigError, match=r"other: (is not in|cannot be read)"):
        import_config.run(other)
    with pytest.raises(ConfigError, match="No such file"):
        import_config.run(tmp_path / "none")


def test_what_is_written_is_toml(file: Path) -> None:
    assert tomllib.loads(import_config.run(file))["policy"]["port"] == 9000
