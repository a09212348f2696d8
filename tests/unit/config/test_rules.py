"""What the configuration says, in planning's terms: schedule, retention and what auditors see."""

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest

from staffeln_cli.config import Settings, load
from staffeln_cli.config.rules import (
    chain_limits,
    configured_terms,
    grace,
    retention_terms,
    schedule,
    selection_rules,
    zone_named,
)
from staffeln_cli.errors import ConfigError
from staffeln_cli.model.durations import parse
from staffeln_cli.planning.retention.policy import Policy
from tests.build import NOW, ago, an_inventory_volume

A_DAY = timedelta(days=1)


def configured(**settings: str) -> Settings:
    """`configured(RETENTION_TIME="9d")`."""
    environ = {f"STAFFELN_{key}": value for key, value in settings.items()}
    return load(None, environ | {"STAFFELN_DATABASE_URL": "sqlite:///x.db"}).settings


RETENTION = configured(RETENTION_TIME="9d", RETENTION_GRACE="1d", RETENTION_KEEP_LAST="2")


def test_a_window_is_in_the_time_zone_of_the_reports() -> None:
    found = schedule(
        configured(BACKUP_WINDOW="22:00-06:00", REPORT_TIMEZONE="Europe/Berlin")
    ).window
    assert found is not None
    assert found.zone == ZoneInfo("Europe/Berlin")
    assert schedule(configured()).window is None


@pytest.mark.parametrize("name", [None, "UTC", "utc"])
def test_a_zone_without_a_name_is_utc(name: str | None) -> None:
    assert zone_named(name) is UTC


@pytest.mark.parametrize("name", ["Europe/Atlantis", "../../etc/passwd", "Europe"])
def test_a_zone_that_the_system_lacks_is_a_mistake_in_the_configuration(name: str) -> None:
    with pytest.raises(ConfigError, match=r"report\.timezone: .* is not known here"):
        zone_named(name)


def test_of_a_volume_that_the_inventory_does_not_know_everything_is_kept() -> None:
    terms = retention_terms(RETENTION.retention, None, NOW)
    assert (terms.policy, terms.volume_exists, terms.earlier) == (None, True, ())


def test_the_retention_of_a_volume_is_what_its_metadata_say_or_the_default() -> None:
    asked = retention_terms(RETENTION.retention, an_inventory_volume(retention="3d"), NOW)
    usual = retention_terms(RETENTION.retention, an_inventory_volume(), NOW)
    assert (asked.policy, usual.policy) == (Policy(time=parse("3d")), Policy(time=parse("9d")))
    assert (usual.keep_last, usual.earlier) == (2, ())


def test_a_longer_retention_goes_on_beside_the_shorter_one_until_the_grace_is_over() -> None:
    volume = an_inventory_volume(
        retention="3d", retention_before="30d", retention_shortened_at=ago(hours=1)
    )
    (former,) = retention_terms(RETENTION.retention, volume, NOW).earlier
    assert (former.policy, former.volume_exists) == (Policy(time=parse("30d")), True)
    assert former.until == NOW + A_DAY - timedelta(hours=1)
    assert retention_terms(RETENTION.retention, volume, NOW + A_DAY).earlier == ()


def test_a_volume_that_is_gone_is_treated_as_if_it_existed_until_the_grace_is_over() -> None:
    volume = an_inventory_volume(gone_at=ago(hours=1))
    terms = retention_terms(RETENTION.retention, volume, NOW)
    (former,) = terms.earlier
    assert (terms.volume_exists, former.volume_exists) == (False, True)
    assert former.until == NOW + A_DAY - timedelta(hours=1)
    assert retention_terms(RETENTION.retention, volume, NOW + A_DAY).earlier == ()


def test_both_a_longer_retention_and_the_existence_may_go_on_and_each_for_its_time() -> None:
    volume = an_inventory_volume(
        retention="3d",
        retention_before="30d",
        retention_shortened_at=ago(hours=1),
        gone_at=ago(hours=2),
    )
    longer, existing = retention_terms(RETENTION.retention, volume, NOW).earlier
    assert (longer.policy, longer.volume_exists) == (Policy(time=parse("30d")), True)
    assert (existing.policy, existing.until) == (
        Policy(time=parse("3d")),
        NOW + A_DAY - timedelta(hours=2),
    )
    later = NOW + A_DAY - timedelta(hours=1, minutes=30)
    (longer,) = retention_terms(RETENTION.retention, volume, later).earlier
    assert not longer.volume_exists, "the volume counts as gone by then"


def test_a_moment_of_a_wrong_clock_begins_the_grace_now() -> None:
    volume = an_inventory_volume(gone_at=NOW + timedelta(days=400))
    (former,) = retention_terms(RETENTION.retention, volume, NOW).earlier
    assert former.until == NOW + A_DAY


def test_auditors_see_what_decides_about_protection_and_nothing_that_is_unset() -> None:
    shown = configured_terms(configured(RETENTION_TIME="9d", BACKUP_FULL_BACKUP_DEPTH="3"))
    assert (shown["retention.time"], shown["backup.full_backup_depth"]) == ("9d", "3")
    assert "backup.window" not in shown
    assert all("url" not in key for key in shown)


def test_a_chain_is_bounded_by_its_length_and_its_age() -> None:
    settings = configured(BACKUP_FULL_BACKUP_DEPTH="3", BACKUP_CHAIN_MAX_AGE="2w")
    limits = chain_limits(settings.backup)
    assert (limits.depth, limits.max_age) == (3, parse("2w"))


def test_the_urls_that_may_hold_secrets_are_those_of_database_and_locks() -> None:
    assert configured().secret_urls() == ("sqlite:///x.db",)
    locked = configured(LOCK_URL="redis://:secret@host/0")
    assert locked.secret_urls() == ("sqlite:///x.db", "redis://:secret@host/0")


def test_selection_and_grace_use_the_keys_and_the_default_of_the_configuration() -> None:
    settings = configured(SELECT_METADATA_KEY="backup", RETENTION_TIME="9d", RETENTION_GRACE="2d")
    assert selection_rules(settings).metadata_key == "backup"
    assert selection_rules(settings).default == grace(settings.retention).default == parse("9d")
    assert grace(settings.retention).length == parse("2d")
