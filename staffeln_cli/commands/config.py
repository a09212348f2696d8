"""Write an example configuration; show which one is in force, and where each value came from."""

import dataclasses
import grp
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from staffeln_cli.config import Loaded, Settings
from staffeln_cli.config.example import example, plain
from staffeln_cli.config.load import keys, masked
from staffeln_cli.config.rules import zone_named
from staffeln_cli.errors import ConfigError
from staffeln_cli.runtime import Runtime

DEFAULT = "default"
GROUP = "staffeln"
"""Of the user that runs the passes, as cron/systemd makes it."""


@dataclass(frozen=True, slots=True)
class Effective:
    """A key, the value in force as it may be shown, and who said so."""

    key: str
    value: object
    source: str


def text() -> str:
    """A commented example with every key."""
    return example()


def init(path: Path, *, group: str = GROUP) -> str:
    """Write a commented example, since passwords will be in it not for everybody; say for whom.

    FileExistsError rather than overwriting anything; OSError for what cannot be written.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(example())
        if os.geteuid() != 0:
            return "only its owner can read it"
        try:
            os.fchown(handle, -1, grp.getgrnam(group).gr_gid)
        except KeyError:
            return f"only root can read it; for another user: chgrp GROUP {path}; chmod 640 {path}"
        os.fchmod(handle, 0o640)
    return f"root can change it, the group {group} can read it"


def check(loaded: Loaded) -> list[Effective]:
    """Every key and what holds; ConfigError with all that is wrong with URLs beyond their type."""
    problems = list(mistakes(loaded.settings))
    if problems:
        raise ConfigError(problems)
    return [_effective(loaded, name) for name in keys()]


def mistakes(settings: Settings) -> Iterator[str]:
    """What only those who use a value can tell about it, without asking anybody."""
    from staffeln_cli import locks
    from staffeln_cli.store import Store

    runtime = Runtime(settings)
    tries: tuple[Callable[[], object], ...] = (
        lambda: Store(settings.database.url).close(),
        lambda: locks.check_url(runtime.lock_url),
        lambda: zone_named(settings.report.timezone),
    )
    for attempt in tries:
        try:
            attempt()
        except ConfigError as error:
            yield from error.problems


def _effective(loaded: Loaded, name: str) -> Effective:
    section, key = name.split(".", 1)
    value = getattr(getattr(loaded.settings, section), key)
    source = loaded.sources.get(name, DEFAULT)
    if old_name := loaded.old_names.get(name):
        source = f"{source}, by its old name {old_name}"
    return Effective(name, plain(masked(name, value)), source)


def as_json(loaded: Loaded, rows: list[Effective]) -> dict[str, object]:
    """The object that `-f json` prints."""
    file = str(loaded.file) if loaded.file is not None else None
    return {"file": file, "settings": [dataclasses.asdict(row) for row in rows]}
