"""The command `report`."""

import sys
from pathlib import Path

import click

from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import dry_run_option, exit_on_error, finish, format_option


@click.command()
@dry_run_option
@click.option("--project", metavar="PROJECT", help="With --preview: whose report, by name or id.")
@click.option(
    "--preview",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    metavar="FILE.html",
    help="Write a project's next report, or without --project the operator's, and send nothing.",
)
@click.option("--test-mail", metavar="ADDRESS", help="Send a test mail, and nothing else.")
@format_option
@click.pass_obj
def report(  # noqa: PLR0913, PLR0917 - one parameter for each option
    session: Session,
    dry_run: bool,
    project: str | None,
    preview: Path | None,
    test_mail: str | None,
    shape: str,
) -> None:
    """Send each project a report on its backups when its period is over.

    Without mail.sender in the configuration, reports are shown on a terminal or logged.
    """
    from staffeln_cli.commands import report as command

    if project is not None and preview is None:
        raise click.UsageError("--project goes with --preview FILE.html")
    if preview is not None:
        with exit_on_error():
            preview.write_text(command.preview(session.runtime, project), encoding="utf-8")
        return
    if test_mail is not None:
        with exit_on_error():
            click.echo(command.try_mail(session.runtime, test_mail))
        return
    watched = shape == "text" and session.verbosity >= 0 and sys.stdout.isatty()
    show = click.echo if watched else None
    finish(
        session, "report", shape, lambda: command.run(session.runtime, dry_run=dry_run, show=show)
    )


COMMANDS = (report,)
