"""The command `restore`."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from staffeln_cli.cli.moment import moment
from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import dry_run_option, finish, format_option

if TYPE_CHECKING:
    from staffeln_cli.commands.restore import RestoreRequest


@click.command()
@click.argument("backups", nargs=-1, metavar="[BACKUP]...")
@click.option(
    "--volume",
    "volumes",
    multiple=True,
    metavar="VOLUME",
    help="Restore this volume's newest backup (id or name).",
)
@click.option(
    "--server",
    "servers",
    multiple=True,
    metavar="SERVER",
    help="Restore the newest backup of each volume last seen on this server (id or name).",
)
@click.option(
    "--at",
    type=moment,
    metavar="TIME",
    help="Restore the newest backup from before TIME (UTC, or with an offset).",
)
@click.option(
    "--project",
    "projects",
    multiple=True,
    metavar="PROJECT",
    help="Bring back the servers and volumes that this project has lost (id or name).",
)
@click.option(
    "--recreate",
    type=click.Choice(["make", "print"]),
    is_flag=False,
    flag_value="make",
    help="Boot each --server again from its volumes; with =print, show the commands instead.",
)
@click.option("--flavor", help="Flavor of the server, not the lost one's.")
@click.option("--name", help="Name of the new volume, if only one is restored.")
@click.option("--type", "volume_type", help="Volume type of the new volumes, not the source's.")
@click.option("--zone", help="Availability zone of the new volumes, not the source's.")
@click.option("--wait", is_flag=True, help="Wait until the new volumes can be used.")
@dry_run_option
@format_option
@click.pass_obj
def restore(session: Session, /, dry_run: bool, shape: str, **chosen: Any) -> None:
    """Restore backups, each to a new volume in its own project.

    BACKUP is an id in Cinder, a name, or a record's id; a backup that Staffeln did not make is
    named by its id. Nothing that exists is overwritten. The new volume is like the source: volume
    type, availability zone, size, bootable flag and metadata. At the end the openstack commands
    that attach or boot the new volumes are shown.

    With --recreate the servers are made again, too, as collect has seen them last. --project does
    that for each server that the project has lost, the quickest first, and restores the volumes
    that no server used. Both wait until everything is back, and can be repeated after any
    interruption: nothing is made twice.
    """
    from staffeln_cli.commands import restore as command

    request = _request(**chosen)
    finish(
        session, "restore", shape, lambda: command.run(session.runtime, request, dry_run=dry_run)
    )


def _request(  # noqa: PLR0913 - one parameter for each option
    *,
    backups: tuple[str, ...],
    volumes: tuple[str, ...],
    servers: tuple[str, ...],
    projects: tuple[str, ...],
    at: datetime | None,
    recreate: str | None,
    flavor: str | None,
    name: str | None,
    volume_type: str | None,
    zone: str | None,
    wait: bool,
) -> "RestoreRequest":
    """What is asked for, or a UsageError where options contradict each other."""
    from staffeln_cli.commands.restore import RestoreRequest
    from staffeln_cli.planning.restoring import Overrides

    if not (backups or volumes or servers or projects):
        raise click.UsageError("Name a BACKUP, or a --volume or --server whose newest you want.")
    if at and not (volumes or servers or projects):
        raise click.UsageError("--at needs --volume or --server.")
    if name and (projects or servers or len(backups) + len(volumes) > 1):
        raise click.UsageError("--name is for one volume.")
    request = RestoreRequest(
        backups=backups,
        volumes=volumes,
        servers=servers,
        at=at,
        overrides=Overrides(volume_type, zone, name),
        wait=wait,
        projects=projects,
        recreates=recreate is not None,
        prints=recreate == "print",
        flavor=flavor,
    )
    _see_that_servers_are_meant(request)
    return request


def _see_that_servers_are_meant(request: "RestoreRequest") -> None:
    if (request.recreates or request.projects) and (request.backups or request.volumes):
        raise click.UsageError("--recreate and --project are for servers: restore others apart.")
    if request.recreates and not (request.servers or request.projects):
        raise click.UsageError("--recreate needs --server.")


COMMANDS = (restore,)
