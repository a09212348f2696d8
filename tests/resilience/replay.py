"""One situation, replayed many times, each time with another failure."""

import copy
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, make_url, text

from staffeln_cli.demo.simcloud import SimCloud
from tests.resilience.hosts import Host
from tests.resilience.process import Frozen
from tests.resilience.situations import (
    BEGIN,
    SITUATIONS,
    Ending,
    HealthyHost,
    ending,
    good_days,
    left_of_drills,
    settle,
    two_projects,
    unreported,
    violations,
)

A_DAY = timedelta(days=1)
NOT_SAVED = ("lock", "clock", "url")
"""Parts of the simulated cloud that outlive a moment."""


class Replay:
    """A situation that can be restored, and how it ends when nothing fails."""

    def __init__(
        self,
        cloud: SimCloud,
        host: Host,
        healthy: HealthyHost,
        command: str,
        *,
        at: datetime = BEGIN + 4 * A_DAY,
    ) -> None:
        self.cloud, self.healthy, self.command = cloud, healthy, command
        volumes = two_projects(cloud, at - 4 * A_DAY)
        good_days(cloud, healthy, 4)
        SITUATIONS[command](cloud, healthy, volumes)
        self.saved = SavedState(cloud, host.environ["STAFFELN_DATABASE_URL"])
        healthy.store.close()
        self.saved.take()
        self.host = host.under(clock=Frozen(cloud.now()))
        self.undisturbed = self.end(lambda: self.host.start(command).wait())

    def end(self, act: Callable[[], object]) -> Ending:
        """Restore the situation, act, then let hours pass without trouble."""
        self.saved.restore()
        act()
        self.cloud.on_request = self.cloud.on_reply = None
        self.cloud.requests.clear()
        settle(self.cloud, self.healthy)
        wrong, end = violations(self.cloud, self.healthy), ending(self.cloud, self.healthy)
        if self.command == "verify":
            wrong += left_of_drills(self.cloud, self.healthy)
        if self.command == "report":
            self.cloud.advance(A_DAY)
            wrong += unreported(self.healthy)
        self.healthy.store.close()
        assert wrong == []
        return end


@dataclass
class SavedState:
    """A cloud and a database as they were at one moment; nobody else may be using them."""

    cloud: SimCloud
    url: str
    at: datetime = BEGIN
    _world: dict[str, Any] = field(default_factory=dict)

    def take(self) -> None:
        """Remember this moment."""
        self._database(saving=True)
        with self.cloud.world.lock:
            shown = {k: v for k, v in vars(self.cloud.world).items() if k not in NOT_SAVED}
            self._world = copy.deepcopy(shown)
        self.at = self.cloud.now()

    def restore(self) -> None:
        """Let everything be as it was."""
        self._database(saving=False)
        with self.cloud.world.lock:
            vars(self.cloud.world).update(copy.deepcopy(self._world))
            self.cloud.requests.clear()
            self.cloud.on_request = self.cloud.on_reply = None
        self.cloud.freeze(self.at)

    def _database(self, *, saving: bool) -> None:
        url = make_url(self.url)
        name = url.database or ""
        one, other = (name, f"{name}_kept") if saving else (f"{name}_kept", name)
        if url.get_backend_name() == "sqlite":
            for suffix in ("-wal", "-shm"):
                Path(other + suffix).unlink(missing_ok=True)
            shutil.copy(one, other)
            return
        engine = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {other} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {other} TEMPLATE {one}"))
        engine.dispose()
