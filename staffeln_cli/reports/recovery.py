"""How long restores are expected to take, by what restore drills have measured."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from staffeln_cli.model import Backup, DrillState, InventoryVolume, ProjectId, VolumeId
from staffeln_cli.planning.recovery import RecoveryRates, RecoveryTime, together
from staffeln_cli.planning.verification import chain_of
from staffeln_cli.runtime import Runtime


def recovery_time(
    runtime: Runtime, backup: Backup, backups: Sequence[Backup]
) -> RecoveryTime | None:
    """What the restore of a backup takes, among all of its volume; None before the first drill."""
    rates = RecoveryRates(runtime.store.drills.ended_in([DrillState.PASSED]))
    _, length = chain_of(backup, backups)
    return rates.expected(backup.size_gib, length)


def recovery_times(
    runtime: Runtime, volume_ids: Collection[VolumeId] | None = None
) -> Mapping[tuple[ProjectId, VolumeId], RecoveryTime]:
    """What a restore of the newest backup of each volume takes, or of some, by project and volume.

    Of the database alone; empty before the first drill.
    """
    rates = RecoveryRates(runtime.store.drills.ended_in([DrillState.PASSED]))
    if not rates:
        return {}
    expected = {
        key: rates.expected(chain.size_gib, chain.length)
        for key, chain in runtime.store.successes.chains(volume_ids).items()
    }
    return {key: time for key, time in expected.items() if time is not None}


def recovery_of_server(
    runtime: Runtime, volumes: Iterable[InventoryVolume]
) -> RecoveryTime | None:
    """What it takes to restore all of a server's volumes; None unless it is known of each."""
    keys = [(volume.project_id, volume.volume_id) for volume in volumes]
    times = recovery_times(runtime, [volume_id for _, volume_id in keys])
    if any(key not in times for key in keys):
        return None
    return together([times[key] for key in keys])
