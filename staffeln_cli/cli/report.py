"""The command `report`."""

import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from staffeln_cli.cli.listing_options import read_only_runtime, safe_output
from staffeln_cli.cli.moment import moment
from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import dry_run_option, exit_on_error, finish

_OF_THE_PASS = ("text", "json")
_OF_EVIDENCE = ("html", "json", "csv")


@click.command()
@dry_run_option
@click.option(
    "--project",
    metavar="PROJECT",
    help="With --preview or --evidence: of this project alone, by name or id.",
)
@click.option(
    "--preview",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    metavar="FILE.html",
    help="Write a project's next report, or without --project the operator's, and send nothing.",
)
@click.option(
    "--evidence",
    is_flag=True,
    help="Print evidence for auditors: promised and achieved intervals, proofs, decisions.",
)
@click.option(
    "--since",
    type=moment,
    metavar="TIME",
    help="With --evidence: begin of the period; otherwise retention.history ago.",
)
@click.option("--test-mail", metavar="ADDRESS", help="Send a test mail, and nothing else.")
@click.option(
    "-f",
    "--format",
    "shape",
    type=click.Choice(["text", "json", "html", "csv"]),
    help="Output format: text (the default) or json; with --evidence html, json or csv.",
)
@click.pass_obj
def report(session: Session, /, **options: Any) -> None:
    """Send each project a report on its backups when its period is over.

    Without mail.sender in the configuration, reports are shown on a terminal or logged.

    With --evidence, nothing is sent: what was promised of each volume and what was achieved is
    printed, from the database alone. The formats are html (the default), json and csv.
    """
    _check(**options)
    shape = options["shape"]
    if options["evidence"]:
        _print_evidence(session, options["since"], options["project"], shape or "html")
    elif (file := options["preview"]) is not None:
        _write_preview(session, file, options["project"])
    elif (address := options["test_mail"]) is not None:
        _send_test_mail(session, address)
    else:
        _run(session, dry_run=options["dry_run"], shape=shape or "text")


def _check(**options: Any) -> None:
    """What does not go together."""
    is_evidence, shape = options["evidence"], options["shape"]
    if is_evidence and (options["preview"] or options["test_mail"]):
        raise click.UsageError("--evidence does not go with --preview or --test-mail")
    if options["project"] is not None and not (is_evidence or options["preview"]):
        raise click.UsageError("--project goes with --preview FILE.html or --evidence")
    if options["since"] is not None and not is_evidence:
        raise click.UsageError("--since goes with --evidence")
    known: Iterable[str] = _OF_EVIDENCE if is_evidence else _OF_THE_PASS
    if shape is not None and shape not in known:
        raise click.UsageError(f"-f {shape}: there is {' and '.join(known)} here")


def _print_evidence(
    session: Session, since: datetime | None, project: str | None, shape: str
) -> None:
    from staffeln_cli.commands import report as command

    with exit_on_error():
        runtime = read_only_runtime(session)
        found = command.evidence(runtime, since, project)
        safe_output()
        if shape == "html":
            sys.stdout.write(command.evidence_page(runtime, found))
            return
        from staffeln_cli.model.text import dumped
        from staffeln_cli.render import audit
        from staffeln_cli.render.rows import as_csv

        parts = [dumped(audit.as_json(found)), "\n"] if shape == "json" else []
        for text in parts or as_csv(audit.COLUMNS, audit.rows(found)):
            sys.stdout.write(text)


def _write_preview(session: Session, file: Path, project: str | None) -> None:
    from staffeln_cli.commands import report as command

    with exit_on_error():
        file.write_text(command.preview(session.runtime, project), encoding="utf-8")


def _send_test_mail(session: Session, address: str) -> None:
    from staffeln_cli.commands import report as command

    with exit_on_error():
        click.echo(command.try_mail(session.runtime, address))


def _run(session: Session, *, dry_run: bool, shape: str) -> None:
    from staffeln_cli.commands import report as command

    watched = shape == "text" and session.verbosity >= 0 and sys.stdout.isatty()
    show = click.echo if watched else None
    finish(
        session, "report", shape, lambda: command.run(session.runtime, dry_run=dry_run, show=show)
    )


COMMANDS = (report,)
