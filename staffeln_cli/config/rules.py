"""What the configuration says about schedule, selection and retention, in planning's terms."""

from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from staffeln_cli.config.settings import BackupSettings, RetentionSettings, Settings
from staffeln_cli.errors import ConfigError
from staffeln_cli.model import InventoryVolume
from staffeln_cli.planning.protection.due import Schedule
from staffeln_cli.planning.protection.full_or_incremental import ChainLimits
from staffeln_cli.planning.protection.rules import Rules
from staffeln_cli.planning.retention.keep_rules import FormerTerms, RetentionTerms
from staffeln_cli.planning.retention.shortening import Grace, gone_grace_ends_at, grace_ends_at


def selection_rules(settings: Settings) -> Rules:
    """What the configuration says about selection."""
    return Rules(
        metadata_key=settings.select.metadata_key,
        skip_volume_key=settings.select.skip_volume_key,
        retention_key=settings.retention.metadata_key,
        policies=settings.retention.policies,
        default=settings.retention.time,
    )


def schedule(settings: Settings) -> Schedule:
    """How often backups are due, and when planned ones may start."""
    window = settings.backup.window
    if window is not None:
        window = replace(window, zone=zone_named(settings.report.timezone))
    return Schedule(settings.backup.min_interval, window)


def zone_named(name: str | None) -> tzinfo:
    """The time zone of this name, UTC without one; ConfigError if the system has no such zone."""
    if name is None or name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        expected = "expected a name such as Europe/Berlin"
        raise ConfigError([f"report.timezone: {name!r} is not known here; {expected}"]) from None


def chain_limits(settings: BackupSettings) -> ChainLimits:
    """What the configuration says about the length and age of chains."""
    return ChainLimits(settings.full_backup_depth, settings.chain_max_age)


def grace(settings: RetentionSettings) -> Grace:
    """What the configuration says about retention that is shortened."""
    return Grace(settings.grace, settings.policies, settings.time)


def configured_terms(settings: Settings) -> dict[str, str]:
    """What the configuration says about how volumes are protected, by key, for auditors."""
    select, backup, retention = settings.select, settings.backup, settings.retention
    keys: dict[str, object] = {
        "select.metadata_key": select.metadata_key,
        "select.skip_volume_key": select.skip_volume_key,
        "backup.min_interval": backup.min_interval,
        "backup.full_backup_depth": backup.full_backup_depth,
        "backup.chain_max_age": backup.chain_max_age,
        "backup.window": backup.window,
        "retention.time": retention.time,
        "retention.metadata_key": retention.metadata_key,
        "retention.keep_last": retention.keep_last,
        "retention.grace": retention.grace,
        "retention.minimum": retention.minimum,
        "retention.brake": retention.brake,
        "verify.every": settings.verify.every,
    }
    keys |= {f"retention.policies.{name}": one.text for name, one in retention.policies.items()}
    return {name: str(value) for name, value in keys.items() if value is not None}


def retention_terms(
    settings: RetentionSettings, known: InventoryVolume | None, now: datetime
) -> RetentionTerms:
    """What holds for a volume; one that the inventory does not know keeps everything."""
    keep_last, minimum = settings.keep_last, settings.minimum
    if known is None:
        return RetentionTerms(
            policy=None, volume_exists=True, keep_last=keep_last, minimum=minimum
        )
    rules = grace(settings)
    policy = rules.policy(known.retention)
    held, existed = (
        until(known, rules.length, now) for until in (grace_ends_at, gone_grace_ends_at)
    )
    earlier = []
    if held is not None:
        exists = known.gone_at is None or existed is not None
        earlier.append(FormerTerms(rules.policy(known.retention_before), exists, held))
    if existed is not None:
        earlier.append(FormerTerms(policy, volume_exists=True, until=existed))
    return RetentionTerms(
        policy=policy,
        volume_exists=known.gone_at is None,
        keep_last=keep_last,
        minimum=minimum,
        earlier=tuple(earlier),
    )
