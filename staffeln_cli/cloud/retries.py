"""Retries of idempotent requests, and readable messages for what services answer."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import TypeVar

import requests
import tenacity
from keystoneauth1 import exceptions as ksa

from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.model.text import first_line, one_line, storable

log = logging.getLogger(__name__)
_T = TypeVar("_T")

_ABSENT = frozenset({"itemNotFound", "error"})
RETRIED_STATUS = frozenset({429, 500, 502, 503, 504})
_TOO_LARGE = 413
_jitter = tenacity.wait_random_exponential(multiplier=0.5, max=30)


class Later(Exception):
    """The same request may succeed later; `after` is the Retry-After that came with the answer."""

    def __init__(self, reason: str, after: str | None = None) -> None:
        super().__init__(reason)
        self.after = float(after) if after and after.isdigit() else 0.0


class RetryBudget:
    """The time that all requests of a process share while none of them succeeds.

    A single request has no more than that either, also while others succeed.
    """

    def __init__(self, timeout: timedelta, stopping: threading.Event) -> None:
        self._timeout = timeout.total_seconds()
        self._stopping = stopping
        self._lock = threading.Lock()
        self._trouble_since: float | None = None

    def retrying(self, attempt: Callable[[], _T], what: str) -> _T:
        """Repeat while the answer is `Later`, for the time-out since the last good answer."""
        failed_at: list[float] = []

        def is_over(_: tenacity.RetryCallState) -> bool:
            failed_at.append(time.monotonic())
            return self._stopping.is_set() or self._is_out(failed_at[0], failed_at[-1])

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Later),
            stop=is_over,
            # A Retry-After of hours is not waited for longer than we retry at all.
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

    def _is_out(self, failed_at: float, now: float) -> bool:
        with self._lock:
            if self._trouble_since is None:
                self._trouble_since = now
            waited = now - min(self._trouble_since, failed_at)
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
    except ksa.ConnectionError as error:
        raise Later(first_line(error)) from error
    except ksa.DiscoveryFailure as error:
        # keystoneauth1/identity/generic/base.py keeps what went wrong in its text only.
        cause = error.__context__
        if isinstance(cause, ksa.HttpError) and cause.http_status not in RETRIED_STATUS:
            raise
        if isinstance(cause, ksa.HttpError | ksa.ConnectionError):
            raise Later(first_line(error)) from error
        raise
    except AssertionError as error:  # see Api._sent
        raise Later("another thread is renewing the token") from error


def is_passing(response: requests.Response) -> bool:
    """Whether the same request may be answered otherwise a little later.

    Cinder refuses for a quota with 413 and `Retry-After: 0`; a rate limiter names a time.
    """
    status = response.status_code
    return status in RETRIED_STATUS or (status == _TOO_LARGE and asks_to_wait(response))


def asks_to_wait(response: requests.Response) -> bool:
    """Whether a `Retry-After` above 0, seconds or a date, came with the answer."""
    after = response.headers.get("Retry-After", "").strip()
    return bool(after) and not (after.isdigit() and int(after) == 0)


def message_of(response: requests.Response) -> str:
    """What a service says about its refusal: the message in the one object of its answer."""
    try:
        body = response.json()
        inner = next(iter(body.values()))
        return one_line(storable(str(inner["message"])))
    except (ValueError, AttributeError, StopIteration, TypeError, KeyError, RecursionError):
        return response.reason or "no message"


def says_absent(response: requests.Response, item_id: str) -> bool:
    """Whether the service itself says that it has no such thing: the one judge of a 404.

    Nova and Cinder answer with an `itemNotFound`, Keystone with an `error`, whose message names
    the id. A proxy's 404 is text, HTML or empty; a 404 about something else, such as the backup
    service, lacks the id.
    """
    if response.status_code != HTTPStatus.NOT_FOUND:
        return False
    try:
        ((kind, said),) = response.json().items()
        return kind in _ABSENT and item_id in str(said["message"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False


def _pause(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.after if isinstance(error, Later) else 0.0
    return max(asked, _jitter(state))


def _reason(state: tenacity.RetryCallState) -> object:
    return state.outcome.exception() if state.outcome else ""
