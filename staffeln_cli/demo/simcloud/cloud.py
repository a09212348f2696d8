"""The interface of the simulated cloud for tests and the demonstration."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

from staffeln_cli.demo.simcloud.calls import Call, Reply, Request
from staffeln_cli.demo.simcloud.clock import Clock, written
from staffeln_cli.demo.simcloud.faults import Fault, Faults
from staffeln_cli.demo.simcloud.lies import edited, lagging
from staffeln_cli.demo.simcloud.lifecycle import restart_service, settle
from staffeln_cli.demo.simcloud.login import clouds_yaml
from staffeln_cli.demo.simcloud.networks import Networks
from staffeln_cli.demo.simcloud.people import People
from staffeln_cli.demo.simcloud.routes import answered, compiled
from staffeln_cli.demo.simcloud.server import Connection, Listener
from staffeln_cli.demo.simcloud.steering import Steering
from staffeln_cli.demo.simcloud.things import Things
from staffeln_cli.demo.simcloud.world import Settings, World

Hook = Callable[[Request], None]


class SimCloud:
    """Keystone, Nova and Cinder on one port. Every part of it may be used from any thread.

    Its parts: `people` (projects, users, roles), `things` (servers, volumes, backups), `networks`,
    `steering` (what becomes of backups, restores and tokens), `faults` (what happens to the next
    requests) and `settings`.
    """

    def __init__(self, clock: Clock, port: int = 0) -> None:
        self._routes = compiled()
        self._listener = Listener(self._answer, clock.now, self._date, port)
        self.url = f"http://127.0.0.1:{self._listener.port}"
        self.auth_url = f"{self.url}/identity/v3"
        self.clock = clock
        self.world = World(self.url, clock)
        self.requests: list[Request] = []
        self.on_request: Hook | None = None
        self.on_reply: Hook | None = None
        self.people, self.things = People(self.world), Things(self.world)
        self.steering, self.faults = Steering(self.world), Faults()
        self.networks = Networks(self.world)
        self.people.start()
        self._listener.accept()

    @property
    def settings(self) -> Settings:
        """How the services behave; a reset puts the initial ones back."""
        return self.world.settings

    def reset(self) -> None:
        """Go back to the initial state: empty, no faults, no requests, the initial time."""
        self.accept_connections()
        with self.world.lock:
            self.clock.reset()
            self.faults.clear()
            self.world.clear()
            self.requests.clear()
            self.on_request = self.on_reply = None
            self.people.start()

    def end_lies(self) -> None:
        """Answer every request as it is from now on, and forget what was to happen to any."""
        with self.world.lock:
            self.faults.clear()
            self.on_request = self.on_reply = None
            self.settings.lagging_rows, self.settings.cinder_narrows = frozenset(), False
            self.settings.clock_offsets = {}

    def close(self) -> None:
        self.faults.clear()
        self._listener.close()

    def now(self) -> datetime:
        return self.clock.now()

    def advance(self, delta: timedelta | None = None, **units: float) -> datetime:
        """Move the clock on: `advance(hours=3)`."""
        return self.clock.advance((delta or timedelta()) + timedelta(**units))

    def freeze(self, at: datetime | None = None) -> None:
        """Stop the clock, here or at another time; it then moves only by `advance`."""
        self.clock.freeze(at)

    def thaw(self) -> None:
        self.clock.thaw()

    @property
    def backup_service_up(self) -> bool:
        return self.world.settings.backup_service_up

    @backup_service_up.setter
    def backup_service_up(self, up: bool) -> None:
        with self.world.lock:
            if up and not self.world.settings.backup_service_up:
                restart_service(self.world)
            self.world.settings.backup_service_up = up

    def refuse_connections(self) -> None:
        """Let the API be down: connections are refused, open ones end."""
        self._listener.refuse()

    def accept_connections(self) -> None:
        self._listener.accept()

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        self.refuse_connections()
        try:
            yield
        finally:
            self.accept_connections()

    def servers(self, **equal: object) -> list[dict[str, Any]]:
        """Copy the servers whose columns have these values, oldest first."""
        return self._copies(self.world.servers, equal)

    def volumes(self, **equal: object) -> list[dict[str, Any]]:
        return self._copies(self.world.volumes, equal)

    def backups(self, **equal: object) -> list[dict[str, Any]]:
        """Copy the backups whose columns have these values, oldest first, parents included."""
        return self._copies(self.world.backups, equal)

    def refused_deletes(self) -> list[Request]:
        """Give the deletions of backups that were sent although Cinder had to refuse them."""
        return [
            request
            for request in list(self.requests)
            if "/backups/" in request.path
            and (request.method == "DELETE" or "os-force_delete" in (request.body or ()))
            and request.status is not None
            and 400 <= request.status < 500
        ]

    def clouds_yaml(self) -> str:
        """Write a clouds.yaml: `sim` for the operator, every other user under their own name."""
        with self.world.lock:
            return clouds_yaml(self.world)

    def _date(self, path: str) -> str:
        """The `Date` of an answer, by the clock of the service, in whatever form is wanted."""
        settings = self.world.settings
        offset = settings.clock_offsets.get(path.split("/")[1], timedelta())
        return written(self.clock.now() + offset, settings.date_form)

    def _copies(self, table: Any, equal: dict[str, object]) -> list[dict[str, Any]]:
        with self.world.lock:
            settle(self.world)
            rows = sorted(table, key=lambda row: row.created_at)
            copies = [{f.name: _copy(getattr(row, f.name)) for f in fields(row)} for row in rows]
        for copy in copies:
            del copy["rendered"]
            if "parent_id" in copy:
                copy["is_incremental"] = copy["parent_id"] is not None
        return [c for c in copies if all(c[key] == value for key, value in equal.items())]

    def _answer(self, request: Request, connection: Connection) -> Reply | None:
        """Answer one request, with whatever has been arranged to happen to it."""
        self.requests.append(request)
        if self.on_request:
            self.on_request(request)
        if self.settings.latency:
            time.sleep(self.settings.latency)
        call = Call(self.world, request, connection.headers)
        reply = self._acted(call, self.faults.strike(request), connection)
        reply = lagging(request, reply, self.settings.lagging_rows)
        request.status = reply.status if reply else None
        if self.on_reply:
            self.on_reply(request)
        return reply

    def _acted(self, call: Call, faults: list[Fault], connection: Connection) -> Reply | None:
        for fault in faults:
            time.sleep(fault.seconds)
            if fault.expires_tokens:
                self.steering.expire_tokens()
            if fault.reply:
                return fault.reply
        last = next((f for f in faults if f.hangs or f.drops or f.resets), None)
        reply = answered(self._routes, call) if last is None or last.acting else None
        if reply is not None:
            reply = edited(call.request, reply, [f.edit for f in faults if f.edit is not None])
            reply = replace(reply, pause=max((f.drips for f in faults), default=0.0))
        if last is None:
            return reply
        if last.hangs:
            self.faults.released.wait()
        if last.resets:
            connection.reset()
        return None


def _copy(value: Any) -> Any:
    return dict(value) if isinstance(value, dict) else value


@contextlib.contextmanager
def serving(
    clock: Callable[[], datetime] | None = None, now: datetime | None = None, port: int = 0
) -> Iterator[SimCloud]:
    """Serve a cloud. `clock` replaces the machine's time; `now` starts it, standing still."""
    cloud = SimCloud(Clock(clock, now), port)
    try:
        yield cloud
    finally:
        cloud.close()
