"""Checks of the installation: configuration, database, lock, mail server."""

import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from staffeln_cli.commands.doctor.check import Check, CheckContext, misconfigured, ok, warning
from staffeln_cli.config import Loaded, Settings
from staffeln_cli.config.load import keys, masked
from staffeln_cli.config.rules import zone_named
from staffeln_cli.config.settings import BackupSettings
from staffeln_cli.errors import LockHeld

_SHORTEST_WITH_WINDOW = timedelta(hours=12)


def configuration(context: CheckContext) -> Iterator[Check]:
    """Whether the configuration makes sense; it is already known to be readable."""
    loaded = context.loaded
    found = [*_permissions(loaded), *_old_names(loaded), *_odd(loaded.settings)]
    given = len(loaded.sources)
    where = str(loaded.file) if loaded.file is not None else "no file"
    yield ok(f"{where}, {given} of {len(keys())} keys set")
    yield from found
    zone_named(loaded.settings.report.timezone)
    if loaded.settings.backup.window is not None:
        yield from _narrow_window(loaded.settings.backup)


def _narrow_window(settings: BackupSettings) -> Iterator[Check]:
    """A window that opens once a day cannot serve an interval that is shorter."""
    if settings.min_interval.months or settings.min_interval.exact >= _SHORTEST_WITH_WINDOW:
        return
    yield warning(
        f"backup.min_interval is {settings.min_interval}, and backup.window {settings.window}"
        " opens once a day: outside it, volumes wait",
        "remove backup.window, or expect about one backup a day",
    )


def _permissions(loaded: Loaded) -> Iterator[Check]:
    if loaded.file is None:
        return
    mode = loaded.file.stat().st_mode
    if mode & stat.S_IWOTH:
        yield misconfigured(
            f"{loaded.file} can be written by everybody", f"chmod o-w {loaded.file}"
        )
    secrets = [name for name in keys() if _is_secret(loaded, name)]
    if mode & stat.S_IROTH and secrets:
        yield warning(
            f"{loaded.file} can be read by everybody, and {', '.join(secrets)} in it is secret",
            f"chmod o-r {loaded.file}",
        )


def _old_names(loaded: Loaded) -> Iterator[Check]:
    for name, old_name in loaded.old_names.items():
        yield warning(
            f"{loaded.sources[name]}: {old_name} is called {name} now",
            f"write {name}; the old name will be removed",
        )


def _is_secret(loaded: Loaded, name: str) -> bool:
    section, key = name.split(".", 1)
    value = getattr(getattr(loaded.settings, section), key)
    return loaded.sources.get(name) == "file" and masked(name, value) != value


def _odd(settings: Settings) -> Iterator[Check]:
    """What is allowed, but rarely intended."""
    if not settings.select.metadata_key:
        yield warning(
            "EVERY SERVER OF THE CLOUD IS BACKED UP: select.metadata_key is empty, so servers need"
            " no mark",
            "remove select.metadata_key to back up only marked servers",
        )
    if settings.retention.keep_last == 0:
        yield warning(
            "retention.keep_last is 0: if new backups fail, the last good one expires",
            "1 keeps the last restorable one",
        )
    if settings.retention.brake == 1:
        yield warning(
            "retention.brake is 1: nothing stops a pass that would remove every backup",
            "0.5 asks before more than half is deleted",
        )
    if settings.select.metadata_key == settings.retention.metadata_key:
        yield misconfigured(
            f"select.metadata_key and retention.metadata_key are both"
            f" {settings.retention.metadata_key!r}",
            "give each its own",
        )


def database(context: CheckContext) -> Iterator[Check]:
    """Whether the database is reachable, has the right schema, and can be written."""
    store = context.runtime.unchecked_store
    shown = store.database.shown
    store.database.check_schema()
    store.database.check_write()
    yield ok(f"{shown}, schema {store.database.revision()}, writable")
    if number := store.status_queries.count_future_moments(context.runtime.now()):
        yield warning(
            f"{number} rows have moments that lie in the future: a clock was wrong; they are not"
            " believed",
            "see that the clocks of all hosts and of the database are set by NTP",
        )
    context.protected = store.status_queries.protected_sizes()
    if not store.database.is_sqlite:
        return
    path = Path(store.database.url.database or "")
    if path.stat().st_mode & stat.S_IROTH:
        yield warning(f"{path} can be read by everybody", f"chmod o-r {path}")


def lock(context: CheckContext) -> Iterator[Check]:
    """Whether the lock can be taken and released."""
    from staffeln_cli.model.redaction import masked_url

    url = masked_url(context.runtime.lock_url)
    try:
        with context.runtime.lock("doctor"):
            yield ok(f"{url}, taken and released")
    except LockHeld:
        yield ok(f"{url}, held by another doctor at the moment")


def mail(context: CheckContext) -> Iterator[Check]:
    """Whether the mail server accepts the connection and the login."""
    settings = context.loaded.settings.mail
    if settings.sender is None:
        yield ok("mail.sender is not set: reports go to the log")
        return
    from staffeln_cli.mail import MailServer, problems

    found = problems(settings)
    yield from (misconfigured(text) for text in found)
    if found:
        return
    server = MailServer(settings)
    try:
        server.try_login()
        yield ok(f"{server.shown} accepts mail from {settings.sender}")
    finally:
        server.close()
