"""The output of `-f json`: one object for each pass."""

from collections.abc import Iterable, Iterator

import click

from staffeln_cli.model import Failure, Outcome
from staffeln_cli.model.text import dumped, zulu


def write(*outcomes: Outcome, several: bool) -> None:
    """Print the list of several passes, or the object of one."""
    for part in _listed(outcomes) if several else _object(outcomes[-1]):
        click.echo(part, nl=False)
    click.echo()


def _listed(outcomes: Iterable[Outcome]) -> Iterator[str]:
    between = "["
    for outcome in outcomes:
        yield between
        yield from _object(outcome)
        between = ", "
    yield "]" if between == ", " else "[]"


def _object(outcome: Outcome) -> Iterator[str]:
    head = dumped(_head(outcome))
    if not outcome.shows_decisions:
        yield head
        return
    from staffeln_cli.runtime import decisions

    yield f'{head.removesuffix("}")}, "decisions": '
    yield from decisions.dumped(outcome.decisions)
    yield "}"


def _head(outcome: Outcome) -> dict[str, object]:
    """Everything except the decisions."""
    head: dict[str, object] = {
        "command": outcome.command,
        "run_id": outcome.run_id,
        "outcome": outcome.outcome,
        "dry_run": outcome.dry_run,
        "started_at": zulu(outcome.started_at),
        "duration_s": outcome.duration_s,
        "api_requests": outcome.api_requests,
        "counts": dict(outcome.counts),
        "failures": [
            {"kind": failure.kind, "id": failure.id, "reason": failure.reason}
            for failure in (*outcome.failures, *_early_end(outcome))
        ],
    }
    optional = {"next_steps": outcome.next_steps, "remarks": outcome.remarks}
    return head | {name: texts for name, texts in optional.items() if texts}


def _early_end(outcome: Outcome) -> list[Failure]:
    """What ended a pass early, as failures of the pass; being skipped is not a failure."""
    lines = outcome.note.splitlines() if outcome.note and outcome.outcome != "skipped" else []
    return [Failure("pass", outcome.command, line) for line in lines]
