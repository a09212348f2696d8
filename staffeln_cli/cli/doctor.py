"""The command `doctor`."""

import sys
from dataclasses import asdict

import click

from staffeln_cli.cli.listing_options import read_only_runtime, safe_output, write
from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import exit_on_error, format_option
from staffeln_cli.cli.streams import complain


@click.command()
@format_option
@click.option(
    "--orphans", is_flag=True, help="List backups that Staffeln made and has no record of."
)
@click.option(
    "--adopt", is_flag=True, help="With --orphans: create records for those that are available."
)
@click.option(
    "--installation",
    metavar="ID",
    help="With --adopt: adopt the backups of this installation; none = of Staffeln 3.0.",
)
@click.pass_obj
def doctor(
    session: Session, shape: str, orphans: bool, adopt: bool, installation: str | None
) -> None:
    """Check everything that a run needs.

    Exits 0 if there are no problems, or only warnings; 78 if something has to be corrected
    (configuration, schema, roles); 69 if something could not be reached. Changes nothing.
    """
    from staffeln_cli.commands import doctor as command

    if orphans or adopt:
        _orphans(session, shape, adopt=adopt, installation=installation)
        return

    checks = []
    with exit_on_error():
        for check in command.run(lambda: session.loaded, lambda: read_only_runtime(session)):
            checks.append(check)
            if shape == "text" and (session.verbosity >= 0 or check.level != "ok"):
                from staffeln_cli.render import checkup

                safe_output()
                checkup.show(check.name, check.level, check.text, check.advice)
    if shape == "json":
        from staffeln_cli.model.text import dumped

        write(dumped([asdict(check) for check in checks]))
    sys.exit(command.exit_code(checks))


def _orphans(session: Session, shape: str, *, adopt: bool, installation: str | None) -> None:
    """List the backups with Staffeln's mark that have no record."""
    from staffeln_cli.commands.doctor import orphans as command
    from staffeln_cli.model.text import dumped, one_line
    from staffeln_cli.runtime.run import PARTLY_FAILED

    rows: list[dict[str, object]] = []
    unreadable: dict[str, str] = {}
    with exit_on_error():
        session.runtime.cloud.name_unreadable(lambda row: unreadable.update({row.id: row.reason}))
        for orphan in command.find(session.runtime, adopt=adopt, installation=installation):
            backup = orphan.backup
            rows.append({"backup_id": backup.id, "name": backup.name, "status": backup.status})
            rows[-1] |= {"volume_id": backup.volume_id, "project_id": backup.project_id}
            rows[-1] |= {"created_at": backup.created_at, "adopted": orphan.adopted}
            rows[-1] |= {"installation": orphan.installation}
            if shape == "text":
                done = "adopted" if orphan.adopted else backup.status
                whose = one_line(orphan.installation)
                click.echo(f"{backup.id}  {done}  {whose}  {one_line(backup.name)}")
    if shape == "json":
        write(dumped(rows))
    elif not rows and not unreadable:
        click.echo("Every backup that Staffeln made has its record.")
    for backup_id, reason in unreadable.items():
        complain(f"backup {backup_id}: its row is not understood, so it is left alone: {reason}")
    if unreadable:
        sys.exit(PARTLY_FAILED)


COMMANDS = (doctor,)
