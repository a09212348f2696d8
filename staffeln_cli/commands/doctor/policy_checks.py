"""Whether the policy endpoint, where there is one, says what Cinder's rule relies on."""

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
    """Whether the configuration would let our own deletions pass."""
    user = context.runtime.cloud.login().user_id
    trusted = context.loaded.settings.policy.trusted_users
    if not trusted:
        yield ok("policy.trusted_users is empty, as is right where no policy endpoint is used")
    elif user in trusted:
        yield ok("the policy endpoint lets our own deletions pass")
    else:
        yield misconfigured(
            f"policy.trusted_users lacks {user}, our own user: the policy endpoint would refuse"
            " what retain deletes",
            f"add {user} to policy.trusted_users",
        )


def endpoint(context: CheckContext) -> Iterator[Check]:
    """Ask it: is it well, and does it tell automatic backups from others, and us from others?"""
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
        yield unreachable(f"{found} breaks off: {error}; {_SHUT}")


def _silent(found: Endpoint, error: OSError, *, is_used: bool) -> Check:
    """Where nobody is trusted, the endpoint is most likely not used; else it may be elsewhere."""
    if not is_used:
        return ok("none answers here, as is right where Cinder asks none")
    return warning(
        f"none answers at {found}: {error}",
        "start staffeln-policy.service; where it runs elsewhere, policy.host should say where",
    )


def _unwell(found: Endpoint, status: int, is_used: bool) -> Check:
    if status == 503:
        return unreachable(
            f"{found} cannot use its database: {_SHUT}", "see its log; staffeln db upgrade"
        )
    text = f"{found} is no policy endpoint: its /v1/health is {status}"
    return misconfigured(text) if is_used else warning(text)


def _asked(found: Endpoint, context: CheckContext) -> Iterator[Check]:
    unknown = found.ask(str(uuid4()))
    if unknown != "True":
        yield misconfigured(f"{found} says {unknown[:40]!r} of an unknown backup: {_SHUT}")
        return
    ours = _a_live_backup(context)
    if ours is None:
        yield ok(f"{found} is well; there is no live backup yet to ask it about")
        return
    said = found.ask(ours)
    if said != "False":
        yield misconfigured(
            f"{found} says {said[:40]!r} of {ours}, a live backup of ours: {_OPEN}",
            "give it the database.url that the other commands have",
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
