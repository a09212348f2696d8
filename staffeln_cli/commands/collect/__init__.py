"""Learn which volumes exist, and plan a backup for each protected one that is due."""

from collections.abc import Sequence
from contextlib import closing
from itertools import chain

from staffeln_cli.commands.collect import missing_volumes
from staffeln_cli.commands.collect.cloud_view import CloudView, look
from staffeln_cli.commands.collect.volumes import end_protection, take_in, write_down
from staffeln_cli.config.rules import configured_terms
from staffeln_cli.errors import ListingIncomplete, Stopped
from staffeln_cli.model import Outcome, Volume
from staffeln_cli.operations import scratch
from staffeln_cli.planning.evidence import Confirmation, believed
from staffeln_cli.planning.protection import selection
from staffeln_cli.runtime import Run, Runtime, caller, run_pass

COUNTS = ("servers", "volumes", "protected", "skipped", "planned", "gone")


def run(runtime: Runtime, *, dry_run: bool = False, confirmed: bool = False) -> Outcome:
    """One pass: look at the whole cloud, refresh the inventory, plan what is due.

    `confirmed` accepts that very many things are gone, or lose their protection, at once.
    """
    return run_pass(
        runtime,
        "collect",
        lambda run: _collect(run, confirmed=confirmed),
        counts=COUNTS,
        leader=True,
        dry_run=dry_run,
    )


def _collect(run: Run, *, confirmed: bool) -> None:
    last_given_at = believed(run.store.observations.confirmed_at("collect"), run.now())
    confirmation = Confirmation(confirmed, last_given_at)
    with closing(run.cloud.listings.volumes()) as pages:
        view, first = look(run, pages, confirmation)
        try:
            for page in chain([first], pages):
                run.runtime.stop.check()
                _take_in(run, view, page)
                run.runtime.progress("volumes", len(view.seen), None)
        except (ListingIncomplete, Stopped):
            write_down(run, view)  # what was listed is true, also where the listing breaks off
            raise
    write_down(run, view)
    _close(run, view)


def _take_in(run: Run, view: CloudView, page: Sequence[Volume]) -> None:
    view.owners.update(volume.project_id for volume in page)
    temporary = {volume.id for volume in page if _is_temporary(run, volume)}
    view.temporary |= temporary
    take_in(run, view, [volume for volume in page if volume.id not in temporary])


def _is_temporary(run: Run, volume: Volume) -> bool:
    """Whether it exists only for a backup, a migration, or a restore drill."""
    return selection.is_temporary(volume) or scratch.is_scratch(run, volume)


def _close(run: Run, view: CloudView) -> None:
    """The listing was complete: judge what it lacks, and what it shows to be unprotected."""
    missing_volumes.check_whole(run, view)
    take_in(run, view, missing_volumes.judge_volumes(run, view))
    missing_volumes.report_unknown_servers(run, view)
    end_protection(run, view)
    write_down(run, view)
    if not run.dry_run:
        run.store.servers.forget_unseen(view.servers)
        run.store.pauses.forget_ended(view.now)
        run.store.events.note_terms(configured_terms(run.settings), view.now, who=caller())
    if view.confirmation.is_given and not run.dry_run:
        run.store.observations.note_confirmed("collect", view.now, who=caller())
