"""Check everything that a run needs; a failed check does not stop the others."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

from staffeln_cli.commands.doctor import (
    catalog_checks,
    cloud_checks,
    drill_checks,
    local_checks,
    policy_checks,
)
from staffeln_cli.commands.doctor.check import Check, CheckContext, Level
from staffeln_cli.config import Loaded, Settings
from staffeln_cli.errors import ConfigError, StaffelnError
from staffeln_cli.runtime import Runtime

__all__ = ["Check", "Level", "exit_code", "run"]

_RETRY_TIMEOUT = timedelta(seconds=10)
"""How long requests are retried: shorter than in a pass, because a person is waiting."""

_Function = Callable[[CheckContext], Iterator[Check]]
_CHECKS: tuple[tuple[str, _Function, tuple[str, ...]], ...] = (
    ("configuration", local_checks.configuration, ()),
    ("database", local_checks.database, ()),
    ("lock", local_checks.lock, ()),
    ("mail", local_checks.mail, ()),
    ("login", cloud_checks.login, ()),
    ("clock", cloud_checks.clock, ("login",)),
    ("same cloud", cloud_checks.same_cloud, ("database", "login")),
    ("projects", cloud_checks.projects, ("login",)),
    ("backup service", cloud_checks.backup_services, ("login",)),
    ("quotas", cloud_checks.quotas, ("database", "login")),
    ("scratch volumes", drill_checks.scratch_volumes, ("database", "login")),
    ("scratch servers", drill_checks.scratch_servers, ("database", "login")),
    ("catalog", catalog_checks.catalog, ("database", "login")),
    ("policy", policy_checks.trust, ("login",)),
    ("policy endpoint", policy_checks.endpoint, ("database",)),
)
"""Each check: its name, its function, and the checks that must have succeeded before."""


def run(load: Callable[[], Loaded], prepare: Callable[[], Runtime]) -> Iterator[Check]:
    """Yield every check as soon as it is done; `load` and `prepare` may raise ConfigError."""
    try:
        loaded = load()
        runtime = replace(prepare(), settings=_with_short_retries(loaded.settings))
    except ConfigError as error:
        for problem in error.problems:
            yield Check("configuration", Level.PROBLEM, problem, exit_code=error.exit_code)
        yield from (_skipped(name, ["configuration"]) for name, _, _ in _CHECKS[1:])
        return
    context = CheckContext(loaded, runtime)
    try:
        yield from _checked(context)
    finally:
        runtime.close()


def exit_code(checks: Iterable[Check]) -> int:
    """78 if something is misconfigured, 69 if something is unreachable, else 0."""
    return max((one.exit_code for one in checks if one.level is Level.PROBLEM), default=0)


def _checked(context: CheckContext) -> Iterator[Check]:
    for name, function, needs in _CHECKS:
        if missing := [one for one in needs if one in context.failed]:
            context.failed.add(name)
            yield _skipped(name, missing)
            continue
        for check in _caught(name, function, context):
            if check.level is Level.PROBLEM:
                context.failed.add(name)
            yield check
        for row in context.unreadable():
            text = f"{row.kind} {row.id}: its row is not understood, so it is left out here"
            yield Check(name, Level.WARNING, f"{text}: {row.reason}")


def _caught(name: str, function: _Function, context: CheckContext) -> Iterator[Check]:
    try:
        for check in function(context):
            yield replace(check, name=name)
    except ConfigError as error:
        for problem in error.problems:
            yield Check(name, Level.PROBLEM, problem, exit_code=error.exit_code)
    except StaffelnError as error:
        yield Check(name, Level.PROBLEM, str(error), exit_code=error.exit_code)


def _skipped(name: str, missing: list[str]) -> Check:
    return Check(name, Level.SKIPPED, f"not checked: needs {' and '.join(missing)}")


def _with_short_retries(settings: Settings) -> Settings:
    timeout = min(settings.cloud.retry_timeout, _RETRY_TIMEOUT)
    return replace(settings, cloud=replace(settings.cloud, retry_timeout=timeout))
