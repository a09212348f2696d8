"""What the configuration says about selection and retention, in the terms of planning."""

from staffeln_cli.config.settings import BackupSettings, RetentionSettings, Settings
from staffeln_cli.model import InventoryVolume
from staffeln_cli.planning.protection import selection
from staffeln_cli.planning.protection.next_backup import ChainLimits
from staffeln_cli.planning.retention.keep_rules import RetentionTerms
from staffeln_cli.planning.retention.policy import in_force


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


def retention_terms(settings: RetentionSettings, known: InventoryVolume | None) -> RetentionTerms:
    """What holds for a volume; one that the inventory does not know keeps everything."""
    if known is None:
        return RetentionTerms(policy=None, volume_exists=True, keep_last=settings.keep_last)
    return RetentionTerms(
        policy=in_force(known.retention, settings.policies, settings.time),
        volume_exists=known.gone_at is None,
        keep_last=settings.keep_last,
    )
