"""Whether a listing can be of the whole cloud: Cinder shows a login without rights only its own.

It does so with a 200 (cinder:cinder/api/common.py:reject_invalid_filters), so that everything else
would look gone.
"""

from collections.abc import Callable, Set
from typing import Literal

from staffeln_cli.errors import NotWholeCloud
from staffeln_cli.model import ProjectId
from staffeln_cli.planning.evidence import is_whole_cloud
from staffeln_cli.runtime import Run


def check_whole_cloud(
    run: Run,
    kind: Literal["volumes", "backups"],
    seen: Set[ProjectId],
    known: Callable[[], Set[ProjectId]],
    *,
    confirmed: bool = False,
) -> None:
    """NotWholeCloud if Cinder lists only the login's own project while we know others.

    `seen` are the owners of the rows, `known` gives those by our records. Where the listing is
    empty, or somebody has confirmed that it is right, Cinder is asked what only admins may ask.
    """
    own = run.cloud.login().project_id
    if seen - {own} or is_whole_cloud(seen, own, known()):
        return
    shown = "only those of the login's own project" if seen else "none at all"
    said = f"Cinder's listing of {kind} shows {shown}, although others are known"
    if seen and not confirmed:
        command = run.command if run.command in ("collect", "check") else "check"
        said = f"{said} (if these are really gone, run: staffeln {command} --confirm)"
    elif run.cloud.lookups.is_cinder_admin():
        return
    raise NotWholeCloud(said)


def check_whole_nova(run: Run, seen: Set[ProjectId], attached: Set[ProjectId]) -> None:
    """NotWholeCloud if Nova lists only the login's own servers while volumes of others are in use.

    `attached` are the owners of the volumes that Cinder says are attached to a server. Where Nova
    lists nothing at all, a cell may be down: the servers are unknown then.
    """
    own = run.cloud.login().project_id
    if not seen or is_whole_cloud(seen, own, attached):
        return
    raise NotWholeCloud(
        "Nova's listing shows only the servers of the login's own project, although volumes of"
        " others are attached to servers",
        "see that os_compute_api:servers:detail:get_all_tenants in Nova's policy takes a role of"
        " cloud.admin_roles",
    )
