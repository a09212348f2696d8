"""What takes longer than allowed is cut off by a watcher that may end at any moment."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType
from typing import Any

from staffeln_cli.deadlines import Deadlines

AT_ONCE, NEVER = timedelta(milliseconds=1), timedelta(hours=1)
PATIENCE = 30.0
STEPS = 60
"""More lines than the watcher, and what it calls, has in one look."""


def deadlines(longest: timedelta, *, stopping: threading.Event | None = None) -> Deadlines:
    return Deadlines(longest, stopping or threading.Event(), grace=AT_ONCE)


@contextmanager
def watcher_that_sleeps_at(step: int) -> Iterator[threading.Event]:
    """Threads that are started meanwhile stop at their n-th line; the event is set then."""
    reached, may_go_on, left = threading.Event(), threading.Event(), [step]

    def trace(_: FrameType, event: str, __: Any) -> Any:
        left[0] -= event == "line"
        if left[0] == 0:
            reached.set()
            may_go_on.wait(PATIENCE)
        return trace

    before = threading.gettrace()
    threading.settrace(trace)
    try:
        yield reached
    finally:
        threading.settrace(before)
        may_go_on.set()


def ends(act: Callable[[], None]) -> bool:
    """Whether something comes to its end."""
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return not thread.is_alive()


def test_what_takes_too_long_is_cut_off() -> None:
    cut = threading.Event()
    pending = deadlines(AT_ONCE).begin(cut.set)
    assert cut.wait(PATIENCE)
    assert pending.was_cut


def test_a_stop_cuts_off_what_is_under_way() -> None:
    cut, stopping = threading.Event(), threading.Event()
    deadlines(NEVER, stopping=stopping).begin(cut.set)
    stopping.set()
    assert cut.wait(PATIENCE)


def test_what_has_ended_in_time_is_left_alone() -> None:
    early, late, stopping = threading.Event(), threading.Event(), threading.Event()
    watch = deadlines(NEVER, stopping=stopping)
    watch.end(watch.begin(early.set))
    watch.begin(late.set)
    stopping.set()
    assert late.wait(PATIENCE)
    assert not early.is_set()


def test_a_watcher_that_dies_anywhere_blocks_nobody() -> None:
    for step in range(1, STEPS):
        with watcher_that_sleeps_at(step) as reached:
            watch = deadlines(AT_ONCE)
            pending = watch.begin(lambda: None)
            assert reached.wait(PATIENCE)
            threading.settrace(None)
            assert ends(lambda watch=watch, pending=pending: watch.end(pending)), step  # type: ignore[misc]  # bound at once
            assert ends(watch.close), step
