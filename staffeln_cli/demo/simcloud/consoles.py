"""What Nova does with a server that runs: its console is read, and it is deleted."""

from __future__ import annotations

from staffeln_cli.demo.simcloud.calls import Call, Reply
from staffeln_cli.demo.simcloud.errors import forbidden, refused
from staffeln_cli.demo.simcloud.rows import Server
from staffeln_cli.demo.simcloud.schema import part
from staffeln_cli.demo.simcloud.things import Things


def deleted(call: Call) -> Reply:
    """Delete a server; its volumes are detached at once."""
    Things(call.world).remove_server(_own(call, "os_compute_api:servers:delete").id)
    return Reply(204)


def acted(call: Call) -> Reply:
    """POST .../action: of all actions, to read the last lines of the console."""
    body = call.request.body if isinstance(call.request.body, dict) else {}
    if "os-getConsoleOutput" not in body:
        raise refused(400, f"There is no such action: {next(iter(body), 'None')}.")
    server = _own(call, "os_compute_api:os-console-output")
    length = part(body, "os-getConsoleOutput").get("length")
    if server.status != "ACTIVE":
        raise refused(409, f"Instance {server.id} is not ready")
    lines = call.world.settings.console.splitlines()
    return Reply(200, {"output": "\n".join(lines[-int(length) :] if length else lines)})


def _own(call: Call, rule: str) -> Server:
    """Find a server; one of another project counts as missing."""
    server = call.world.servers.get(call.name("id"))
    if server is None or not (call.is_admin() or server.project_id == call.project_id()):
        raise refused(404, f"Instance {call.name('id')} could not be found.")
    if not call.is_admin() and "member" not in call.roles():
        raise forbidden(rule)
    return server
