"""Look at everything a run needs, before it needs it; whatever fails, look at the rest too."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

from staffeln_cli.commands.doctor import cloud_checks, local_checks, policy_checks
from staffeln_cli.commands.doctor.check import Check, CheckContext, Level
from staffeln_cli.config import Loaded, Settings
from staffeln_cli.errors import ConfigError, StaffelnError
from staffeln_cli.runtime import Runtime

__all__ = ["Check", "Level", "exit_code", "run"]

_PATIENCE = timedelta(seconds=10)
"""How long a cloud that does not answer is asked again: a person is waiting."""

_Look = Callable[[CheckContext], Iterator[Check]]
_LOOKS: tuple[tuple[str, _Look, tuple[str, ...]], ...] = (
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
    ("policy", policy_checks.trust, ("login",)),
    ("policy endpoint", policy_checks.endpoint, ("database",)),
)
"""What is looked at, how, and what must be well for that to make sense."""


def run(load: Callable[[], Loaded], prepare: Callable[[], Runtime]) -> Iterator[Check]:
    """Every check, as soon as it is made; `load` and `prepare` may raise ConfigError."""
    try:
        loaded = load()
        runtime = replace(prepare(), settings=_impatient(loaded.settings))
    except ConfigError as error:
        for problem in error.problems:
            yield Check("configuration", Level.PROBLEM, problem, exit_code=error.exit_code)
        yield from (_skipped(name, ["configuration"]) for name, _, _ in _LOOKS[1:])
        return
    context = CheckContext(loaded, runtime)
    try:
        yield from _examined(context)
    finally:
        runtime.close()


def exit_code(checks: Iterable[Check]) -> int:
    """78 where somebody must put something right, 69 where something was out of reach, else 0."""
    return max((one.exit_code for one in checks if one.level is Level.PROBLEM), default=0)


def _examined(context: CheckContext) -> Iterator[Check]:
    for name, look, needs in _LOOKS:
        if missing := [one for one in needs if one in context.failed]:
            context.failed.add(name)
            yield _skipped(name, missing)
            continue
        for check in _caught(name, look, context):
            if check.level is Level.PROBLEM:
                context.failed.add(name)
            yield check


def _caught(name: str, look: _Look, context: CheckContext) -> Iterator[Check]:
    try:
        for check in look(context):
            yield replace(check, name=name)
    except ConfigError as error:
        for problem in error.problems:
            yield Check(name, Level.PROBLEM, problem, exit_code=error.exit_code)
    except StaffelnError as error:
        yield Check(name, Level.PROBLEM, str(error), exit_code=error.exit_code)


def _skipped(name: str, missing: list[str]) -> Check:
    return Check(name, Level.SKIPPED, f"not looked at: needs {' and '.join(missing)}")


def _impatient(settings: Settings) -> Settings:
    patience = min(settings.cloud.retry_timeout, _PATIENCE)
    return replace(settings, cloud=replace(settings.cloud, retry_timeout=patience))
