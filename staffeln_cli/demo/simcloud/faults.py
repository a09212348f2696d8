"""Things that go wrong on demand, or by chance."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock

from staffeln_cli.demo.simcloud.calls import Reply, Request
from staffeln_cli.demo.simcloud.errors import refused
from staffeln_cli.demo.simcloud.lies import (
    Edit,
    linked_again,
    with_columns,
    without_columns,
    without_rows,
)

KINDS = ("lost", "503", "429", "reset", "slow", "expired")


@dataclass
class Fault:
    """One thing to do to a request: answer instead, wait first, or let the reply vanish."""

    method: str
    path: str
    left: int = 1
    reply: Reply | None = None
    seconds: float = 0.0
    hangs: bool = False
    drops: bool = False
    resets: bool = False
    acting: bool = True
    expires_tokens: bool = False
    drips: float = 0.0
    edit: Edit | None = None

    def strikes(self, request: Request) -> bool:
        return (
            self.left > 0
            and self.method in ("*", request.method)
            and any(re.search(self.path, text) for text in (request.path, request.target))
        )


@dataclass
class Faults:
    """The faults that wait for their request; each is used up by as many as it was made for."""

    waiting: list[Fault] = field(default_factory=list)
    released: Event = field(default_factory=Event)
    _lock: Lock = field(default_factory=Lock)
    _rate: float = 0.0
    _chance: random.Random = field(default_factory=random.Random)
    _kinds: Sequence[str] = KINDS

    def strike(self, request: Request) -> list[Fault]:
        """Take the faults that hit this request: every delay, and the first of the others."""
        with self._lock:
            hits: list[Fault] = []
            for fault in self.waiting:
                is_delay = fault.seconds > 0
                if fault.strikes(request) and (is_delay or all(h.seconds for h in hits)):
                    fault.left -= 1
                    hits.append(fault)
            self.waiting = [fault for fault in self.waiting if fault.left > 0]
            return hits or self._by_chance()

    def clear(self) -> None:
        with self._lock:
            self.waiting.clear()
            self._rate = 0.0
            self.released.set()
            self.released = Event()

    def _by_chance(self) -> list[Fault]:
        if self._rate <= 0 or self._chance.random() >= self._rate:
            return []
        return [_chaotic(self._chance.choice(self._kinds), self._chance)]

    def fail_next(  # noqa: PLR0913  a fault is described in words, all but two of them optional
        self,
        method: str,
        path: str,
        *,
        status: int,
        body: Mapping[str, object] | str | None = None,
        headers: Mapping[str, str] | None = None,
        times: int = 1,
    ) -> None:
        """Answer the next such requests with an error, without acting."""
        if body is None:
            body = refused(status, "The simulated cloud was told to fail.").body
        reply = Reply(status, body, headers or {})
        self._add(Fault(method, path, times, reply=reply))

    def proxy_404_next(self, method: str, path: str, times: int = 1) -> None:
        """Answer the next such requests as an ingress does that finds no service behind it."""
        self.fail_next(
            method,
            path,
            status=404,
            body="default backend - 404",
            headers={"Content-Type": "text/plain; charset=utf-8"},
            times=times,
        )

    def edit_next(self, path: str, edit: Edit, times: int = 1, *, method: str = "GET") -> None:
        """Carry out the next such requests, and tell of the result something else."""
        self._add(Fault(method, path, times, edit=edit))

    def omit_next(self, path: str, ids: Iterable[str], times: int = 1) -> None:
        """Leave rows out of the next such listings, as a service does that lags behind."""
        self.edit_next(path, without_rows(frozenset(ids)), times)

    def spoil_next(
        self, path: str, columns: Mapping[str, Mapping[str, object]], times: int = 1
    ) -> None:
        """Show rows, by id, with other values in the next such answers."""
        self.edit_next(path, with_columns(columns), times)

    def hide_next(self, path: str, names: Iterable[str], times: int = 1) -> None:
        """Show no row with these columns in the next such answers."""
        self.edit_next(path, without_columns(frozenset(names)), times)

    def loop_next(self, path: str, times: int = 1) -> None:
        """Let the next such pages link to themselves."""
        self.edit_next(path, linked_again, times)

    def drip_next(self, method: str, path: str, pause: float, times: int = 1) -> None:
        """Answer the next such requests by single bytes, with a pause after each."""
        self._add(Fault(method, path, times, drips=pause))

    def delay_next(self, method: str, path: str, seconds: float, times: int = 1) -> None:
        """Let the next such requests wait, then go on."""
        self._add(Fault(method, path, times, seconds=seconds))

    def hang_next(self, method: str, path: str, *, acting: bool = False, times: int = 1) -> None:
        """Never answer the next such requests; `acting` says whether they are carried out."""
        self._add(Fault(method, path, times, hangs=True, acting=acting))

    def release(self) -> None:
        """Drop the connections of all requests that hang."""
        self.released.set()
        self.released = Event()

    def lose_reply_next(self, method: str, path: str, *, acting: bool, times: int = 1) -> None:
        """Close the connection without an answer, after acting or without it."""
        self._add(Fault(method, path, times, drops=True, acting=acting))

    def reset_next(self, method: str, path: str, *, acting: bool = False, times: int = 1) -> None:
        """Reset the connection (RST) without an answer, after acting or without it."""
        self._add(Fault(method, path, times, resets=True, acting=acting))

    def chaos(self, rate: float, seed: int = 0, kinds: Sequence[str] = KINDS) -> None:
        """Let requests fail at a rate between 0 and 1, the same ones for the same seed."""
        with self._lock:
            self._rate, self._kinds = rate, tuple(kinds)
            self._chance = random.Random(seed)  # noqa: S311  repeatable, not secret

    def _add(self, fault: Fault) -> None:
        with self._lock:
            self.waiting.append(fault)


def _chaotic(kind: str, chance: random.Random) -> Fault:
    text = "The simulated cloud is in chaos."
    if kind in ("503", "429"):
        reply = Reply(int(kind), refused(int(kind), text).body, {"Retry-After": "0"})
        return Fault("*", "", reply=reply)
    return {
        "lost": Fault("*", "", drops=True),
        "reset": Fault("*", "", resets=True, acting=False),
        "slow": Fault("*", "", seconds=chance.uniform(0.01, 0.1)),
        "expired": Fault("*", "", expires_tokens=True),
    }[kind]
