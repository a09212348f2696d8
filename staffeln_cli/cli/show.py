"""How outcomes and errors reach the terminal, cron's mail, or another program."""

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NoReturn

import click

from staffeln_cli.cli import json_output
from staffeln_cli.cli.session import Session
from staffeln_cli.cli.streams import complain
from staffeln_cli.errors import StaffelnError
from staffeln_cli.model import Outcome, RunId
from staffeln_cli.model.text import many, one_line

log = logging.getLogger(__name__)
BUG = 1
STOPPED = 128
"""Exit codes from here on encode the number of a signal."""

format_option = click.option(
    "-f",
    "--format",
    "shape",
    type=click.Choice(["text", "json"]),
    default="text",
    help="Output format.",
)
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Say what would be done and why; change nothing."
)


def finish(session: Session, command: str, shape: str, work: Callable[[], Outcome]) -> NoReturn:
    """Run one pass, show its outcome, exit with its code."""
    session.streams.never_fail()
    with (
        notifying(session, command) as outcomes,
        progress(session, shape),
        json_even_on_bug(command, shape, outcomes),
    ):
        outcome = outcome_of(command, work)
        outcomes.append(outcome)
    show(session, outcome, shape)
    if shape == "json":
        json_output.write(outcome, several=False)
    sys.exit(outcome.exit_code)


def finish_all(
    session: Session, shape: str, passes: Iterable[tuple[str, Callable[[], Outcome]]]
) -> NoReturn:
    """Run several passes, each regardless of the others; exit with the worst code."""
    session.streams.never_fail()
    if shape == "text":
        with exit_on_error():  # a problem that all of them share is reported once
            _ = session.runtime
    with notifying(session, "run") as outcomes, progress(session, shape):
        for command, work in passes:
            with json_even_on_bug(command, shape, outcomes, several=True):
                outcomes.append(outcome_of(command, work))
            show(session, outcomes[-1], shape)
            if outcomes[-1].exit_code >= STOPPED:
                break
    if shape == "json":
        json_output.write(*outcomes, several=True)
    sys.exit(max((outcome.exit_code for outcome in outcomes), default=0))


@contextmanager
def json_even_on_bug(
    command: str, shape: str, outcomes: list[Outcome], *, several: bool = False
) -> Iterator[None]:
    """Add an outcome, and print the JSON, even if a bug ends the pass."""
    try:
        yield
    except Exception as error:
        outcomes.append(_ended(command, f"a bug: {type(error).__name__}: {error}", BUG))
        if shape == "json":
            json_output.write(*outcomes, several=several)
        raise


def outcome_of(command: str, work: Callable[[], Outcome]) -> Outcome:
    """The outcome of a pass, even of one that could not start."""
    try:
        return work()
    except StaffelnError as error:
        return _ended(command, str(error), error.exit_code)


def _ended(command: str, why: str, exit_code: int) -> Outcome:
    moment = datetime.now(UTC)
    return Outcome(command, RunId("-"), "failed", moment, 0.0, 0, note=why, exit_code=exit_code)


def show(session: Session, outcome: Outcome, shape: str) -> None:
    """Show failures on stderr; as text also the plan of a dry run, and on a terminal a summary."""
    for failure in outcome.failures:
        named = f" ({failure.name})" if failure.name else ""
        complain(one_line(f"{failure.kind} {failure.id}{named}: {failure.reason}"))
    if outcome.note and outcome.outcome != "skipped":
        complain(f"{outcome.command}: {outcome.note}")
    if shape != "text":
        return
    _show_decisions(outcome)
    for step in outcome.next_steps:
        click.echo(one_line(step))
    if session.verbosity >= 0 and (outcome.dry_run or sys.stdout.isatty()):
        for line in (summary(outcome), *outcome.remarks):
            click.echo(line)


def _show_decisions(outcome: Outcome) -> None:
    if outcome.dry_run:
        from staffeln_cli.render import terminal

        terminal.decisions(outcome.decisions)
    elif outcome.shows_decisions:
        for decision in outcome.decisions:
            click.echo(
                one_line(f"{decision.kind} {decision.name or decision.id} {decision.reason}")
            )


def summary(outcome: Outcome) -> str:
    """Summarize the pass in one line."""
    counts = ", ".join(_counted(number, name) for name, number in outcome.counts.items() if number)
    if outcome.outcome == "skipped":
        counts = one_line(outcome.note or "another run is at it")
    elif outcome.outcome == "failed":
        counts = f"ended early; {counts or 'nothing done'}"
    dry_run = " (dry run)" if outcome.dry_run else ""
    failures = len(outcome.failures)
    failed = f"; {many(failures, 'problem')}" if failures else ""
    return (
        f"{outcome.command}{dry_run}: {counts or 'nothing to do'}{failed}"
        f"  ({outcome.duration_s:.1f} s, {many(outcome.api_requests, 'request')})"
    )


def _counted(number: int, name: str) -> str:
    """A figure with its name, of which only nouns, in the plural, end in an s."""
    name = name.removesuffix("s") if number == 1 else name
    return f"{number:,} {name.replace('_', ' ')}"


@contextmanager
def progress(session: Session, shape: str) -> Iterator[None]:
    """A progress bar on stderr, if that is a terminal and without --quiet."""
    if shape != "text" or session.verbosity < 0 or not sys.stderr.isatty():
        yield
        return
    from staffeln_cli.render import terminal

    with terminal.progress_bar() as bar, exit_on_error():
        session.watch(bar)
        yield


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Print an expected error and exit with its code."""
    try:
        yield
    except StaffelnError as error:
        complain(str(error))
        sys.exit(error.exit_code)


def bug(session: Session, error: Exception) -> int:
    """Report an unexpected error in one line; log it, with -v including the traceback."""
    run_id = session.runtime.run_id if "runtime" in session.__dict__ else "-"
    text = f"staffeln: a bug, please report it: {type(error).__name__}: {error} (run {run_id})"
    complain(one_line(text))
    log.error("run %s ended by a bug", run_id, exc_info=error if session.verbosity > 0 else None)
    return BUG


@contextmanager
def notifying(session: Session, command: str) -> Iterator[list[Outcome]]:
    """Notify before and after; the caller adds the outcomes to the list. Not for a dry run.

    Once for each invocation, however many passes it has. A notifier never fails the run.
    """
    outcomes: list[Outcome] = []
    try:
        settings = session.loaded.settings.notify
    except StaffelnError:
        yield outcomes  # the configuration is wrong: no notifier is known
        return
    if not settings.urls or click.get_current_context().params.get("dry_run"):
        yield outcomes
        return
    from staffeln_cli import notify

    notify.begun(settings, command)
    try:
        yield outcomes
    finally:
        notify.ended(settings, command, outcomes)
