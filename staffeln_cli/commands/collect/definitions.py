"""Keep how protected servers were made, from the listing that collect fetches anyway."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime

from staffeln_cli.model import Server
from staffeln_cli.model.servers import KeptDefinition
from staffeln_cli.planning.protection import selection
from staffeln_cli.planning.protection.rules import Rules
from staffeln_cli.runtime import Run


def kept(run: Run, pages: Iterable[list[Server]], rules: Rules, now: datetime) -> Iterator[Server]:
    """Pass the servers on, page by page, after the definitions that are new have been saved.

    Only one page of definitions is in memory at a time.
    """
    by_volumes = run.store.servers.protected_by_volumes()
    for page in pages:
        protected = [
            server
            for server in page
            if server.definition
            and (selection.is_marked(server, rules) or server.id in by_volumes)
        ]
        if protected and not run.dry_run:
            run.store.servers.save(list(_news(run, protected, now)))
        yield from page


def _news(run: Run, servers: list[Server], now: datetime) -> Iterator[KeptDefinition]:
    from staffeln_cli.cloud import definition_text  # imports openstacksdk

    known = run.store.servers.digests([server.id for server in servers])
    for server in servers:
        digest = _digest(server)
        if known.get(server.id) != digest:
            definition = definition_text(server.definition)
            yield KeptDefinition(
                server.id, server.name, server.project_id, digest, definition, now
            )


def _digest(server: Server) -> str:
    whole = b"\0".join((server.name.encode(), server.project_id.encode(), server.definition))
    return hashlib.blake2b(whole, digest_size=16).hexdigest()
