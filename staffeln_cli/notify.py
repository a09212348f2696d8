"""Notifications about runs to chats, webhooks and dead man's switches; they never stop a run."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from staffeln_cli.config.settings import NotifySettings
from staffeln_cli.model import Outcome
from staffeln_cli.model.redaction import without
from staffeln_cli.model.text import unmentioned

log = logging.getLogger(__name__)
_PING = "ping+"
_TIMEOUT = 10.0
"""Seconds for all notifications together; a service that does not answer by then has failed."""
_MOST_FAILURES = 20
_PATHS = {"start": "/start", "success": "", "failure": "/fail"}
"""Suffixes of ping URLs, as healthchecks.io defines them."""
_KINDS = {"start": "info", "success": "success", "failure": "failure"}


def begun(settings: NotifySettings, command: str) -> None:
    """Notify of the start of a run; not called for a dry run."""
    _tell(settings, "start", f"{command} has begun", [], _TIMEOUT)


def ended(
    settings: NotifySettings,
    command: str,
    outcomes: Sequence[Outcome],
    *,
    timeout: float = _TIMEOUT,
) -> None:
    """Notify of the end of a run of one or several passes; not of skipped passes or dry runs.

    `timeout` is in seconds, for all notifications together.
    """
    passes = [
        outcome for outcome in outcomes if outcome.outcome != "skipped" and not outcome.dry_run
    ]
    bad = [outcome for outcome in passes if outcome.exit_code]
    if bad:
        _tell(settings, "failure", f"{command} failed", _complaints(bad), timeout)
    elif passes:
        _tell(settings, "success", f"{command} went well", map(_figures, passes), timeout)


def _tell(
    settings: NotifySettings, event: str, title: str, lines: Iterable[str], timeout: float
) -> None:
    """Notify all URLs at the same time; those that failed are named in the log.

    The lines contain names and reasons from the cloud, which are made harmless here.
    """
    title = unmentioned(f"staffeln {title} on {socket.gethostname()}")
    body = "\n".join(map(unmentioned, lines)) or title
    calls = []
    for number, url in enumerate(settings.urls, 1):
        if url.startswith(_PING):
            calls.append((number, url, _Call(_ping, url.removeprefix(_PING), event, timeout)))
        elif event in settings.on:
            calls.append((number, url, _Call(_send, url, event, title, body)))
    deadline = time.monotonic() + timeout
    for number, url, call in calls:
        if problem := call.problem(deadline):
            # Never the URL: all of it may be secret.
            log.warning("notify.urls, number %d (%s): %s", number, _scheme(url), problem)


class _Call:
    """One notification in a daemon thread, so that the process can end without it."""

    def __init__(self, notify: Callable[..., str | None], *arguments: Any) -> None:
        self._problem: str | None = "no answer in time"
        self._thread = threading.Thread(target=self._run, args=(notify, arguments), daemon=True)
        self._thread.start()

    def problem(self, deadline: float) -> str | None:
        """What went wrong, or that there was no answer by the deadline; None on success."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        return self._problem

    def _run(self, notify: Callable[..., str | None], arguments: Sequence[Any]) -> None:
        try:
            self._problem = notify(*arguments)
        except Exception as error:  # noqa: BLE001 - a hundred services' code; the run matters more
            self._problem = f"failed: {type(error).__name__}"


def _ping(url: str, event: str, timeout: float) -> str | None:
    import urllib.request

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return "expected ping+https://…"
    url = parts._replace(path=parts.path.rstrip("/") + _PATHS[event]).geturl()
    try:
        with urllib.request.urlopen(url, timeout=timeout):  # noqa: S310 - http or https, see above
            return None
    except OSError as error:
        return (
            f"failed: {without(str(getattr(error, 'reason', error)), [url.partition('://')[2]])}"
        )


def _send(url: str, event: str, title: str, body: str) -> str | None:
    try:
        import apprise
    except ImportError:
        return "needs Apprise; run: pip install 'staffeln[notify]'"
    # It logs URLs and answers of services, including secrets.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    messenger = apprise.Apprise()
    if not messenger.add(url):
        return "is not a URL that Apprise knows"
    accepted = messenger.notify(body=body, title=title, notify_type=_KINDS[event])
    return None if accepted else "did not accept the message"


def _complaints(outcomes: Iterable[Outcome]) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.note:
            yield f"{outcome.command}: {outcome.note}"
        for failure in outcome.failures[:_MOST_FAILURES]:
            yield f"{outcome.command}: {failure.kind} {failure.id}: {failure.reason}"
        rest = len(outcome.failures) - _MOST_FAILURES
        if rest > 0:
            yield f"{outcome.command}: and {rest:,} more"


def _figures(outcome: Outcome) -> str:
    counts = ", ".join(f"{number:,} {name}" for name, number in outcome.counts.items() if number)
    return f"{outcome.command}: {counts or 'nothing to do'}"


def _scheme(url: str) -> str:
    scheme, found, _ = url.partition("://")
    return scheme if found and scheme.replace("+", "").isalnum() else "no scheme"
