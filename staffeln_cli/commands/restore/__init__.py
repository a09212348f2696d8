"""Restore backups, each to a new volume in its own project that is like the source."""

import logging

from staffeln_cli.commands.restore.bringing_back import bring_back
from staffeln_cli.commands.restore.checks import possible
from staffeln_cli.commands.restore.choices import chosen, planned
from staffeln_cli.commands.restore.next_steps import next_steps
from staffeln_cli.commands.restore.plan import Plan, Requested, RestoreRequest, decision, failed
from staffeln_cli.commands.restore.waiting import wait
from staffeln_cli.errors import Refused, ResultUnknown
from staffeln_cli.model import Decision, Outcome, VolumeId
from staffeln_cli.planning.recovery import RecoveryTime, together
from staffeln_cli.reports.recovery import recovery_time
from staffeln_cli.runtime import Run, Runtime, run_pass

__all__ = ["RestoreRequest", "run"]
log = logging.getLogger(__name__)
COUNTS = ("restoring", "restored", "failed")
WITH_SERVERS = (*COUNTS, "recreated")


def run(runtime: Runtime, request: RestoreRequest, *, dry_run: bool = False) -> Outcome:
    """Ask Cinder for the new volumes, and wait for them if that is requested.

    NotFound, before anything is done, when one of the things named does not exist.
    """
    with_servers = request.recreates or bool(request.projects)
    work = bring_back if with_servers else _restore
    return run_pass(
        runtime,
        "restore",
        lambda run: work(run, request),
        counts=WITH_SERVERS if with_servers else COUNTS,
        dry_run=dry_run,
    )


def _restore(run: Run, request: RestoreRequest) -> None:
    run.shows_decisions = True
    plans = possible(run, planned(run, list(chosen(run, request)), request.overrides))
    if run.dry_run:
        _foresee(run, plans)
        return
    answers = run.parallel(lambda plan: _request(run, plan), plans)
    requested = [restore for _, restore in answers if restore is not None]
    run.counts["restoring"] = len(requested)
    if request.wait:
        requested = wait(run, requested)
    run.next_steps += next_steps(run, requested)


def _foresee(run: Run, plans: list[Plan]) -> None:
    """Say what would be made, and how long that takes where restore drills have measured any."""
    times: list[RecoveryTime] = []
    for plan in plans:
        listed = run.cloud.listings.backups_of(plan.backup.volume_id)
        expected = recovery_time(run.runtime, plan.backup, listed)
        takes = f"; takes {expected.text}" if expected is not None else ""
        times += [expected] if expected is not None else []
        reason = f"to a new volume {plan.new.name}; {plan.reason}"
        run.decide(decision(plan, f"{reason}{takes}"))
    total = together(times) if len(times) == len(plans) > 1 else None
    if total is not None:
        text = f"takes {total.text}, one after another; at the shortest all at once"
        run.decide(Decision("restore", "volumes", str(len(plans)), "all of them", text))
    run.counts["restoring"] = len(plans)


def _request(run: Run, plan: Plan) -> Requested | None:
    """Ask Cinder once; if the reply was lost, look for the new volume."""
    backup = plan.backup
    try:
        volume_id = run.cloud.volumes.restore(backup.id, backup.project_id, plan.new)
    except ResultUnknown as error:
        found = run.cloud.listings.volumes_named(plan.new.name)
        if len(found) != 1:
            advice = f"look for a volume {plan.new.name} before you try again"
            failed(run, plan.backup, f"{error}; {advice}")
            return None
        volume_id = found[0].id
    except Refused as refusal:
        failed(run, plan.backup, str(refusal))
        return None
    run.decide(decision(plan, f"to volume {plan.new.name} ({volume_id}); {plan.reason}"))
    log.info("backup %s is being restored to volume %s", backup.id, volume_id)
    if plan.source.bootable:
        _set_bootable(run, plan, volume_id)
    return Requested(plan, volume_id)


def _set_bootable(run: Run, plan: Plan, volume_id: VolumeId) -> None:
    """A restore loses the flag; the volume is whole without it."""
    try:
        run.cloud.volumes.set_bootable(volume_id, plan.backup.project_id)
    except (Refused, ResultUnknown) as error:
        command = f"openstack volume set --bootable {volume_id}"
        reason = f"the new volume may not be marked as bootable: {error}; see to it: {command}"
        run.fail("volume", volume_id, reason, name=plan.new.name)
