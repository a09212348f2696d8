"""Checks of the policy endpoint: whether it gives the answers that Cinder's rule relies on."""

from collections.abc import Iterator
from uuid import uuid4

from staffeln_cli.commands.doctor.check import (
    Check,
    CheckContext,
    misconfigured,
    ok,
    unreachable,
    warning,
)
from staffeln_cli.commands.doctor.policy_client import Endpoint
from staffeln_cli.model import State
from staffeln_cli.store.status_queries import Filter

_OPEN = "while Cinder asks it, any project member may delete automatic backups"
_SHUT = "while Cinder asks it, nobody can delete any backup"


def trust(context: CheckContext) -> Iterator[Check]:
    """Whether the configuration permits our own deletions."""
    user = context.runtime.cloud.login().user_id
    trusted = context.loaded.settings.policy.trusted_users
    if not trusted:
        yield ok("policy.trusted_users is empty (fine unless you use the policy endpoint)")
    elif user in trusted:
        yield ok("the policy endpoint permits our own deletions")
    else:
        yield misconfigured(
            f"policy.trusted_users lacks {user}, our own user: the policy endpoint would refuse"
            " what retain deletes",
            f"add {user} to policy.trusted_users",
        )


def endpoint(context: CheckContext) -> Iterator[Check]:
    """Whether it is healthy, protects automatic backups only, and permits our own deletions."""
    settings = context.loaded.settings.policy
    found, is_used = Endpoint(settings), bool(settings.trusted_users)
    try:
        status = found.health()
    except OSError as error:
        yield _silent(found, error, is_used=is_used)
        return
    try:
        yield from _asked(found, context) if status == 200 else [_unwell(found, status, is_used)]
    except OSError as error:
        yield unreachable(f"{found} closed the connection: {error}; {_SHUT}")


def _silent(found: Endpoint, error: OSError, *, is_used: bool) -> Check:
    """Without trusted users the endpoint is probably not used; else it may be on another host."""
    if not is_used:
        return ok("not running (fine unless Cinder's policy uses it)")
    return warning(
        f"{found} does not answer: {error}",
        "start staffeln-policy.service, or set policy.host to where it runs",
    )


def _unwell(found: Endpoint, status: int, is_used: bool) -> Check:
    if status == 503:
        return unreachable(
            f"{found} cannot use its database: {_SHUT}", "see its log; staffeln db upgrade"
        )
    text = f"{found} is not a policy endpoint: its /v1/health answers {status}"
    return misconfigured(text) if is_used else warning(text)


def _asked(found: Endpoint, context: CheckContext) -> Iterator[Check]:
    unknown = found.ask(str(uuid4()))
    if unknown != "True":
        yield misconfigured(f"{found} answers {unknown[:40]!r} for an unknown backup: {_SHUT}")
        return
    ours = _a_live_backup(context)
    if ours is None:
        yield ok(f"{found} is healthy; there is no live backup yet to ask about")
        return
    said = found.ask(ours)
    if said != "False":
        yield misconfigured(
            f"{found} answers {said[:40]!r} for {ours}, a live backup of ours: {_OPEN}",
            "give it the same database.url as the other commands",
        )
    elif "login" not in context.failed and found.ask(ours, _user(context)) != "True":
        yield misconfigured(
            f"{found} would refuse what retain deletes, unless Cinder's rule asks it nothing"
            " about us",
            f"add {_user(context)} to policy.trusted_users where it runs, and restart it",
        )
    else:
        yield ok(f"{found} protects our backups, and only them")


def _user(context: CheckContext) -> str:
    return context.runtime.cloud.login().user_id


def _a_live_backup(context: CheckContext) -> str | None:
    available = Filter(states=(State.AVAILABLE,))
    rows = context.runtime.store.status_queries.backups(["backup_id"], available)
    return next((row.backup_id for row in rows), None)
