"""What the configuration says about selection and retention, in the terms of planning."""

from datetime import datetime

from staffeln_cli.config.settings import BackupSettings, RetentionSettings, Settings
from staffeln_cli.model import InventoryVolume
from staffeln_cli.planning.protection import selection
from staffeln_cli.planning.protection.next_backup import ChainLimits
from staffeln_cli.planning.retention.keep_rules import EarlierTerms, RetentionTerms
from staffeln_cli.planning.retention.shortening import Grace, existed_until, held_until


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
    held, existed = (until(known, rules.length, now) for until in (held_until, existed_until))
    earlier = []
    if held is not None:
        exists = known.gone_at is None or existed is not None
        earlier.append(EarlierTerms(rules.policy(known.retention_before), exists, held))
    if existed is not None:
        earlier.append(EarlierTerms(policy, volume_exists=True, until=existed))
    return RetentionTerms(
        policy=policy,
        volume_exists=known.gone_at is None,
        keep_last=keep_last,
        minimum=minimum,
        earlier=tuple(earlier),
    )
