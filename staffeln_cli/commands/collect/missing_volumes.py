"""What a complete listing lacks: volumes that may be gone, and servers that Nova does not list."""

import logging

from staffeln_cli.commands.collect.cloud_view import CloudView
from staffeln_cli.model import Decision, InventoryVolume, Volume, VolumeId
from staffeln_cli.model.naming import called
from staffeln_cli.operations.absence import Kind, Suspect, confirm, fail_mass
from staffeln_cli.operations.whole_cloud import check_whole_cloud, check_whole_nova
from staffeln_cli.planning.evidence import is_mass
from staffeln_cli.planning.protection import selection
from staffeln_cli.runtime import Run
from staffeln_cli.store.inventory import AbsentVolumes

log = logging.getLogger(__name__)


def check_whole(run: Run, view: CloudView) -> None:
    """NotWholeCloud unless the listings of volumes and servers can be of all projects."""
    check_whole_cloud(
        run,
        "volumes",
        view.owners,
        run.store.inventory.owners,
        confirmed=view.confirmation.is_given,
    )
    check_whole_nova(
        run, {server.project_id for server in view.servers.values()}, view.server_owners
    )


def judge_volumes(run: Run, view: CloudView) -> list[Volume]:
    """Ask for each known volume that the listing lacks; return those that are there.

    One request each. What Cinder says it does not have is suspected at first; at a second time,
    `cloud.settle_time` later, it is gone. A dry run asks as well, and writes nothing down.
    """
    unseen = run.store.inventory.unseen(view.seen, have_rows=not run.dry_run)
    suspects = [_suspect(one) for one in unseen if one.volume_id not in view.temporary]
    found: list[Volume] = []

    def is_there(known: InventoryVolume) -> bool:
        volume = run.cloud.lookups.volume(known.volume_id)
        if volume is not None:
            found.append(volume)
        return volume is not None

    kind = Kind("volume", len(view.seen) + len(suspects), view.confirmation)
    findings = confirm(run, kind, suspects, is_there)
    gone: list[VolumeId] = [one.volume_id for one in findings.gone]
    run.counts["gone"] = len(gone)
    for one in findings.gone:
        reason = "Cinder has said twice that it does not exist"
        run.decide(Decision("note as gone", "volume", one.volume_id, one.volume_name, reason))
        log.info("volume %s (%s) is gone: %s", one.volume_id, one.volume_name, reason)
    if not run.dry_run:
        absent = AbsentVolumes(gone, findings.suspected, findings.unproven)
        run.store.inventory.close_listing(absent, view.now)
        run.store.lifecycle.cancel_planned(gone, "the volume is gone", view.now)
    return [volume for volume in found if not selection.is_temporary(volume)]


def report_unknown_servers(run: Run, view: CloudView) -> None:
    """Fail in part where very many servers are unknown; their volumes stay protected anyway."""
    number = len(view.unknown_servers)
    if view.confirmation.is_given or not is_mass(number, 0):
        return
    known = run.store.inventory.count_servers()
    if is_mass(number, known):
        fail_mass(run, f"Nova does not list {number:,} of {known:,} servers")


def _suspect(known: InventoryVolume) -> Suspect[InventoryVolume]:
    name = called(known.volume_name, known.server_name)
    first_seen_at, suspected_at = known.first_seen_at, known.suspected_gone_at
    return Suspect(known, known.volume_id, first_seen_at, suspected_at, name=name)
