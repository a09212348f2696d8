"""Signals: the first one asks a pass to stop, a second one ends the process.

A wait for another machine ends a while after the first: `deadlines` cuts it off.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What asks for an end; SIGHUP is a terminal that was closed."""


@contextmanager
def stopping(request: Callable[[int], None]) -> Iterator[None]:
    """The first signal requests a stop; a second one ends the process, always safely."""

    def stop(number: int, _: Any) -> None:
        signal.signal(number, signal.SIG_DFL)  # first: a second one always ends it
        request(number)

    before = {number: signal.signal(number, stop) for number in _heard()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_at_once() -> None:
    """Let any signal end the process, from now on."""
    for number in _heard():
        signal.signal(number, signal.SIG_DFL)


def _heard() -> list[signal.Signals]:
    """Those that are not ignored, as nohup does with SIGHUP."""
    return [number for number in _STOPPING if signal.getsignal(number) is not signal.SIG_IGN]
