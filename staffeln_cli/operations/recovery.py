"""How long a restore is expected to take, by what restore drills have measured."""

from collections.abc import Sequence

from staffeln_cli.model import Backup, DrillState
from staffeln_cli.planning.recovery import RecoveryRates, RecoveryTime
from staffeln_cli.planning.verification import chain_of
from staffeln_cli.runtime import Runtime


def recovery_time(
    runtime: Runtime, backup: Backup, backups: Sequence[Backup]
) -> RecoveryTime | None:
    """What the restore of a backup takes, among all of its volume; None before the first drill."""
    rates = RecoveryRates(runtime.store.drills.ended_in([DrillState.PASSED]))
    _, length = chain_of(backup, backups)
    return rates.expected(backup.size_gib, length)
