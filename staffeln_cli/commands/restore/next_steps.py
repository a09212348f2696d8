"""Tell what to do with restored volumes: detach, attach, boot."""

from collections.abc import Iterator, Sequence

from staffeln_cli.commands.restore.plan import Requested
from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.model import ProjectId, ServerId
from staffeln_cli.planning import restoring
from staffeln_cli.runtime import Run


def next_steps(run: Run, requested: Sequence[Requested]) -> Iterator[str]:
    """Commands of the openstack client, server by server, ready to paste."""
    groups: dict[tuple[ProjectId, ServerId | None], list[restoring.Made]] = {}
    for restore in requested:
        source = restore.plan.source
        made = restoring.Made(restore.volume_id, restore.plan.new.name, source)
        key = restore.plan.backup.project_id, source.server_id
        groups.setdefault(key, []).append(made)
    names = run.store.projects.names()
    for (project_id, server_id), made_here in groups.items():
        project = names.get(project_id) or project_id
        yield from restoring.next_steps(project, _target(run, server_id), made_here)


def _target(run: Run, server_id: ServerId | None) -> restoring.Target | None:
    """The server, if it exists; without Nova's word the commands have to be completed by hand."""
    if server_id is None:
        return None
    try:
        shape = run.cloud.restore_lookups.server_shape(server_id)
    except CloudUnavailable:
        return None
    if shape is None:
        return None
    return restoring.Target(server_id, shape.name, shape.flavor, shape.networks)
