"""What Staffeln remembers between runs."""

from collections.abc import Callable
from datetime import datetime

from staffeln_cli.store.backups import Backups
from staffeln_cli.store.database import Database, Fence
from staffeln_cli.store.inventory import Inventory
from staffeln_cli.store.pins import Pins
from staffeln_cli.store.queries import Caps, Claim
from staffeln_cli.store.reports import Reports
from staffeln_cli.store.runs import CloudIdentity, Runs
from staffeln_cli.store.status_queries import Filter, StatusQueries

__all__ = ["Backups", "Caps", "Claim", "Database", "Fence", "Filter", "Inventory", "Store"]


class Store:
    """One database, by what is kept in it."""

    def __init__(self, url: str, *, clock: Callable[[], datetime] | None = None) -> None:
        self.database = Database(url, clock=clock)
        self.backups = Backups(self.database)
        self.inventory = Inventory(self.database)
        self.status_queries = StatusQueries(self.database)
        self.reports = Reports(self.database)
        self.pins = Pins(self.database, self.backups)
        self.runs = Runs(self.database)
        self.cloud = CloudIdentity(self.database)

    def close(self) -> None:
        """Give all connections back."""
        self.database.close()
