"""What the configuration says about selection and retention, in the terms of planning."""

from datetime import datetime

from staffeln_cli.config.settings import BackupSettings, RetentionSettings, Settings
from staffeln_cli.model import InventoryVolume
from staffeln_cli.planning.protection import selection
from staffeln_cli.planning.protection.next_backup import ChainLimits
from staffeln_cli.planning.retention.keep_rules import FormerTerms, RetentionTerms
from staffeln_cli.planning.retention.shortening import Grace, gone_grace_ends_at, grace_ends_at


def selection_rules(settings: Settings) -> selection.Rules:
    """What the configuration says about selection."""
    return selection.Rules(
        metadata_key=settings.select.metadata_key,
        skip_volume_key=settings.select.skip_volume_key,
        retention_key=settings.retention.metadata_key,
        policies=settings.retention.policies,
        default=settings.retention.time,
    )


def chain_limits(settings: BackupSettings) -> ChainLimits:
    """What the configuration says about the length and age of chains."""
    return ChainLimits(settings.full_backup_depth, settings.chain_max_age)


def grace(settings: RetentionSettings) -> Grace:
    """What the configuration says about retention that is shortened."""
    return Grace(settings.grace, settings.policies, settings.time)


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
