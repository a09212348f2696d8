"""Scenes that are played again and again, each time with another mishap."""

from collections.abc import Callable
from datetime import datetime, timedelta

from staffeln_cli.demo.simcloud import SimCloud
from tests.resilience.hosts import Host
from tests.resilience.process import Frozen
from tests.resilience.worlds import (
    BEGIN,
    SCENES,
    Ending,
    Keeper,
    Picture,
    broken_promises,
    ending,
    found,
    live,
    settle,
    untold,
)

A_DAY = timedelta(days=1)


class Scene:
    """A moment to which one can come back, and how it ends when nobody dies."""

    def __init__(
        self,
        cloud: SimCloud,
        host: Host,
        keep: Keeper,
        command: str,
        *,
        at: datetime = BEGIN + 4 * A_DAY,
    ) -> None:
        self.cloud, self.keep, self.command = cloud, keep, command
        volumes = found(cloud, at - 4 * A_DAY)
        live(cloud, keep, 4)
        SCENES[command](cloud, keep, volumes)
        self.picture = Picture(cloud, host.environ["STAFFELN_DATABASE_URL"])
        keep.store.close()
        self.picture.take()
        self.host = host.suffering(clock=Frozen(cloud.now()))
        self.goes_well = self.end(lambda: self.host.start(command).wait())

    def end(self, play: Callable[[], object]) -> Ending:
        """Play the scene, then let hours pass without trouble."""
        self.picture.restore()
        play()
        self.cloud.on_request = self.cloud.on_reply = None
        self.cloud.requests.clear()
        settle(self.cloud, self.keep)
        wrong, end = broken_promises(self.cloud, self.keep), ending(self.cloud, self.keep)
        if self.command == "report":
            self.cloud.advance(A_DAY)
            wrong += untold(self.keep)
        self.keep.store.close()
        assert wrong == []
        return end
