"""How long what may be repeated is repeated, and how answers are put into words."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import requests
import tenacity
from keystoneauth1 import exceptions as ksa

from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.model.text import first_line, one_line

log = logging.getLogger(__name__)
_T = TypeVar("_T")

RETRIED_STATUS = frozenset({429, 500, 502, 503, 504})
_jitter = tenacity.wait_random_exponential(multiplier=0.5, max=30)


class Later(Exception):
    """The same request may succeed later; `after` is the Retry-After that came with the answer."""

    def __init__(self, reason: str, after: str | None = None) -> None:
        super().__init__(reason)
        self.after = float(after) if after and after.isdigit() else 0.0


class RetryBudget:
    """The time that all requests of a process share, while nothing goes well."""

    def __init__(self, timeout: timedelta, stopping: threading.Event) -> None:
        self._timeout = timeout.total_seconds()
        self._stopping = stopping
        self._lock = threading.Lock()
        self._trouble_since: float | None = None

    def retrying(self, attempt: Callable[[], _T], what: str) -> _T:
        """Repeat while the answer is `Later`, for the time-out since the last good answer."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Later),
            stop=lambda _: self._stopping.is_set() or self._is_out(),
            # A Retry-After of hours is not waited for longer than our own patience lasts.
            wait=lambda state: min(_pause(state), self._timeout),
            sleep=tenacity.sleep_using_event(self._stopping),
            before_sleep=lambda state: log.info("%s: %s; trying again", what, _reason(state)),
            reraise=True,
        )
        try:
            answer = retrying(attempt)
        except Later as error:
            raise CloudUnavailable(f"{what}: {error}") from error
        with self._lock:
            self._trouble_since = None
        return answer

    def _is_out(self) -> bool:
        with self._lock:
            if self._trouble_since is None:
                self._trouble_since = time.monotonic()
            waited = time.monotonic() - self._trouble_since
        return waited >= self._timeout


@contextmanager
def asking_keystone() -> Iterator[None]:
    """Keystone's passing troubles while it is asked for a token, which may always be repeated."""
    try:
        yield
    except ksa.HttpError as error:
        if error.http_status not in RETRIED_STATUS:
            raise
        raise Later(first_line(error), str(getattr(error, "retry_after", "") or "")) from error
    except (ksa.ConnectionError, ksa.DiscoveryFailure) as error:
        raise Later(first_line(error)) from error
    except AssertionError as error:  # see Api._sent
        raise Later("another thread is renewing the token") from error


def message_of(response: requests.Response) -> str:
    """What a service says about its refusal: the message in the one object of its answer."""
    try:
        body = response.json()
        inner = next(iter(body.values()))
        return one_line(str(inner["message"]))
    except (ValueError, AttributeError, StopIteration, TypeError, KeyError):
        return response.reason or "no message"


def says_absent(response: requests.Response, item_id: str) -> bool:
    """Whether the service itself says that it has no such thing: the one judge of a 404.

    Nova and Cinder answer with an `itemNotFound` whose message names the id. A proxy's 404 is
    text, HTML or empty; a 404 about something else, such as the backup service, lacks the id.
    """
    try:
        message = response.json()["itemNotFound"]["message"]
    except (ValueError, TypeError, KeyError):
        return False
    return response.status_code == 404 and item_id in str(message)


def _pause(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.after if isinstance(error, Later) else 0.0
    return max(asked, _jitter(state))


def _reason(state: tenacity.RetryCallState) -> object:
    return state.outcome.exception() if state.outcome else ""
