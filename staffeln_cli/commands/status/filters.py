"""Which rows are asked for: what people name becomes ids."""

from typing import TYPE_CHECKING, Any

from staffeln_cli.operations import lookup
from staffeln_cli.runtime import Runtime

if TYPE_CHECKING:
    from staffeln_cli.store import Filter


def filter_of(
    runtime: Runtime,
    *,
    project: str | None = None,
    server: str | None = None,
    volume: str | None = None,
    **others: Any,
) -> "Filter":
    """The rows of a project, a server, a volume, by id or name; NotFound if there is none."""
    from staffeln_cli.store import Filter

    return Filter(
        project_id=lookup.project(runtime, project).project_id if project is not None else None,
        server_id=next(lookup.server_ids(runtime, [server])) if server is not None else None,
        volume_id=next(lookup.volume_ids(runtime, [volume])) if volume is not None else None,
        **others,
    )
