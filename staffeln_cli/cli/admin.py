"""The commands `db`, `config`, `doctor`, `keep`, `release` and `serve-policy`."""

import sys
from dataclasses import asdict
from pathlib import Path

import click

from staffeln_cli.cli.listing_options import read_only_runtime, safe_output, write
from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import exit_on_error
from staffeln_cli.errors import BrakeApplied
from staffeln_cli.model.text import one_line


@click.group()
def db() -> None:
    """Create, upgrade and inspect the database."""


@db.command()
@click.pass_obj
def upgrade(session: Session) -> None:
    """Upgrade the database's schema to this version."""
    from staffeln_cli.commands import db as command

    with exit_on_error():
        before, after = command.upgrade(session.runtime)
    if sys.stdout.isatty():
        click.echo(f"schema: {before or 'none'} -> {after}")


@db.command()
@click.pass_obj
def current(session: Session) -> None:
    """Show the revision of the database's schema; exit 78 if this version needs another."""
    from staffeln_cli.commands import db as command

    with exit_on_error():
        click.echo(command.current(session.runtime) or "none")
        session.runtime.unchecked_store.database.check_schema()


@db.command()
@click.option(
    "--confirm", "--yes", "confirmed", is_flag=True, help="Do it; without it, only look."
)
@click.option("-f", "--format", "shape", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
def rebind(session: Session, shape: str, *, confirmed: bool) -> None:
    """Say that the cloud now configured is the one that the database knows.

    A database belongs to one Keystone and one Cinder endpoint. Where these moved to a new address,
    look first at how much of what the database knows is found there; --confirm then rebinds it.
    In another cloud every volume and every backup would be taken for gone. Exits 3 without
    --confirm.
    """
    from staffeln_cli.commands import db as command
    from staffeln_cli.model.text import dumped

    with exit_on_error():
        found = command.rebind(session.runtime, confirmed=confirmed)
    if shape == "json":
        write(dumped(asdict(found)))
    else:
        for line in (*found.differences, found.cloud):
            click.echo(one_line(line))
        click.echo(f"volumes found there: {found.volumes_found:,} of {found.volumes:,} known")
        click.echo(f"backups found there: {found.backups_found:,} of {found.backups:,} available")
        click.echo("rebound" if found.rebound else "nothing changed; to rebind, add --confirm")
    if not found.rebound:
        sys.exit(BrakeApplied.exit_code)


@db.command("import-staffeln")
@click.argument("url")
@click.option("--dry-run", is_flag=True, help="Say what would be imported; change nothing.")
@click.option("-f", "--format", "shape", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
def import_staffeln(session: Session, url: str, shape: str, *, dry_run: bool) -> None:
    """Import the backups of Staffeln 2, whose database is at URL.

    URL is that of its configuration, mysql://user:password@host/staffeln say, or - to read it from
    the standard input, where no `ps` shows the password. Its database is only read. From then on
    retention judges these backups; look at that with `staffeln retain --dry-run`.
    """
    from staffeln_cli.commands import import_staffeln as takeover
    from staffeln_cli.model.text import dumped

    if url == "-":
        url = sys.stdin.readline().strip()
    with exit_on_error():
        done = takeover.run(session.runtime, url, dry_run=dry_run)
    if shape == "json":
        write(dumped({"dry_run": dry_run, **asdict(done)}))
        return
    for backup_id, reason in done.left_out.items():
        click.echo(f"{backup_id}  left out: {one_line(reason)}")
    word = "would import" if dry_run else "imported"
    click.echo(f"{word} {done.imported}, left out {len(done.left_out)}, had {done.known} already")


@click.group()
def config() -> None:
    """Write an example configuration, check the current one, or take over an old one."""


@config.command()
@click.option(
    "--output",
    metavar="FILE",
    help="Where to write it; - is stdout. Without it, --config, else staffeln.toml here.",
)
@click.pass_obj
def init(session: Session, output: str | None) -> None:
    """Write a commented example with every key; never overwrite a file.

    Only its owner can read it; written by root, also the group staffeln, if there is one.
    """
    from staffeln_cli.commands import config as command

    if output == "-":
        click.echo(command.text(), nl=False)
        return
    path = Path(output) if output else session.config or Path("staffeln.toml")
    try:
        readers = command.init(path)
    except OSError as error:
        raise click.UsageError(f"{path}: cannot be written: {error.strerror}") from error
    _say(f"wrote {path}: {readers}; see what is in force with: staffeln config check")


@config.command("check")
@click.option("-f", "--format", "shape", type=click.Choice(["table", "json"]), default="table")
@click.pass_obj
def config_check(session: Session, shape: str) -> None:
    """Show every key, its value, and where the value came from.

    Exits 78 with all mistakes at once if there are any. Passwords are not shown.
    """
    from staffeln_cli.commands import config as command

    with exit_on_error():
        rows = command.check(session.loaded)
    if shape == "json":
        from staffeln_cli.model.text import dumped

        write(dumped(command.as_json(session.loaded, rows)))
        return
    from staffeln_cli.render import keys

    safe_output()
    keys.show_keys(session.loaded.file, [(row.key, row.value, row.source) for row in rows])


@config.command("import")
@click.argument("file", type=click.Path(path_type=Path))
def config_import(file: Path) -> None:
    """Write our configuration from FILE, the staffeln.conf of Staffeln 2, to stdout.

    Each value has a comment that says where it came from. What is not carried over is listed at
    the end with what to do instead. Passwords are not copied. Exits 78 with all values that are
    not understood.
    """
    from staffeln_cli.commands import import_config as command

    with exit_on_error():
        text = command.run(file)
    click.echo(text, nl=False)


@click.command()
@click.option("-f", "--format", "shape", type=click.Choice(["text", "json"]), default="text")
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

    rows: list[dict[str, object]] = []
    with exit_on_error():
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
    elif not rows:
        click.echo("Every backup that Staffeln made has its record.")


@click.command()
@click.argument("backup")
@click.option("--note", metavar="TEXT", help="Why; shown by status, explain and the report.")
@click.pass_obj
def keep(session: Session, backup: str, note: str | None) -> None:
    """Pin BACKUP, so that retention keeps it and the backups that it depends on.

    BACKUP is a record's id, the backup's id in Cinder, or its name.
    """
    from staffeln_cli.commands import keep as command

    with exit_on_error():
        done = command.keep(session.runtime, backup, note)
    _say(f"{done.record.name}: {'kept' if done.changed else 'kept already'}")


@click.command()
@click.argument("backup")
@click.pass_obj
def release(session: Session, backup: str) -> None:
    """Unpin BACKUP: from now on retention applies to it again."""
    from staffeln_cli.commands import keep as command

    with exit_on_error():
        done = command.release(session.runtime, backup)
    _say(f"{done.record.name}: {'released' if done.changed else 'was not pinned'}")


@click.command("serve-policy")
@click.option("--host", metavar="ADDRESS", help="Listen here instead of policy.host.")
@click.option("--port", type=click.IntRange(0, 65535), help="Instead of policy.port.")
@click.option(
    "--unix-socket", type=click.Path(path_type=Path), help="Listen on this socket instead."
)
@click.pass_obj
def serve_policy(
    session: Session, host: str | None, port: int | None, unix_socket: Path | None
) -> None:
    """Answer Cinder's policy engine, so that tenants cannot delete automatic backups.

    Runs until SIGTERM or SIGINT; then it finishes the answers in hand.
    """
    from staffeln_cli.commands import serve_policy as command

    def listening(address: str) -> None:
        if sys.stdout.isatty():
            click.echo(f"listening on {address}")

    with exit_on_error():
        command.run(
            session.runtime, host=host, port=port, unix_socket=unix_socket, listening=listening
        )
        session.runtime.stop.check()


def _say(text: str) -> None:
    """Print it on a terminal only; under cron, only problems are printed."""
    if sys.stdout.isatty():
        write(one_line(text))


COMMANDS: tuple[click.Command, ...] = (config, doctor, keep, release, db, serve_policy)
