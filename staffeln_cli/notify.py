"""Tell chats, webhooks and dead man's switches how runs go; never at the cost of the run."""

import logging
import socket
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from staffeln_cli.config.notices import NotifySettings
from staffeln_cli.model import Outcome

log = logging.getLogger(__name__)
_PING = "ping+"
_PATIENCE = 10
"""Seconds; what does not answer by then did not hear it."""
_MOST_FAILURES = 20
_PATHS = {"start": "/start", "success": "", "failure": "/fail"}
"""What is added to the URL of a service that watches for silence, as healthchecks.io has it."""
_KINDS = {"start": "info", "success": "success", "failure": "failure"}


def begun(settings: NotifySettings, command: str) -> None:
    """A run has begun; one that is a dry run is none."""
    _tell(settings, "start", f"{command} has begun", "")


def ended(settings: NotifySettings, command: str, outcomes: Sequence[Outcome]) -> None:
    """A run, of one pass or of several, has ended; what was skipped, or a dry run, is no pass."""
    passes = [one for one in outcomes if one.outcome != "skipped" and not one.dry_run]
    bad = [one for one in passes if one.exit_code]
    if bad:
        _tell(settings, "failure", f"{command} failed", "\n".join(_complaints(bad)))
    elif passes:
        _tell(settings, "success", f"{command} went well", "\n".join(map(_figures, passes)))


def _tell(settings: NotifySettings, event: str, title: str, body: str) -> None:
    """Tell everybody who wants to hear of this; who cannot be told is named in the log."""
    title = f"staffeln {title} on {socket.gethostname()}"
    for number, url in enumerate(settings.urls, 1):
        if url.startswith(_PING):
            problem = _ping(url.removeprefix(_PING), event)
        elif event in settings.on:
            problem = _send(url, event, title, body or title)
        else:
            continue
        if problem:
            # Never the URL: all of it may be secret.
            log.warning("notify.urls, number %d (%s): %s", number, _scheme(url), problem)


def _ping(url: str, event: str) -> str | None:
    import urllib.request

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return "expected ping+https://…"
    url = parts._replace(path=parts.path.rstrip("/") + _PATHS[event]).geturl()
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE):  # noqa: S310 - http or https, see above
            return None
    except (OSError, ValueError) as error:  # URLError is one of the former
        return f"failed: {getattr(error, 'reason', None) or type(error).__name__}"


def _send(url: str, event: str, title: str, body: str) -> str | None:
    try:
        import apprise
    except ImportError:
        return "needs Apprise; run: pip install 'staffeln[notify]'"
    # It logs URLs, and what services answer, with whatever is secret in them.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    try:
        messenger = apprise.Apprise()
        if not messenger.add(url):
            return "is no URL that Apprise knows"
        told = messenger.notify(body=body, title=title, notify_type=_KINDS[event])
    except Exception as error:  # noqa: BLE001 - a hundred services' code; the run matters more
        return f"failed: {type(error).__name__}"
    return None if told else "did not take the message"


def _complaints(outcomes: Iterable[Outcome]) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.note:
            yield f"{outcome.command}: {_line(outcome.note)}"
        for failure in outcome.failures[:_MOST_FAILURES]:
            yield f"{outcome.command}: {failure.kind} {failure.id}: {_line(failure.reason)}"
        rest = len(outcome.failures) - _MOST_FAILURES
        if rest > 0:
            yield f"{outcome.command}: and {rest:,} more"


def _figures(outcome: Outcome) -> str:
    counts = ", ".join(f"{number:,} {name}" for name, number in outcome.counts.items() if number)
    return f"{outcome.command}: {counts or 'nothing to do'}"


def _line(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in " ".join(text.split()))


def _scheme(url: str) -> str:
    scheme, found, _ = url.partition("://")
    return scheme if found and scheme.replace("+", "").isalnum() else "no scheme"
