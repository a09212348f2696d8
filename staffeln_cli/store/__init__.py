"""What Staffeln remembers between runs."""

import threading
from collections.abc import Callable
from datetime import datetime

from staffeln_cli.store.catalog import CatalogRows
from staffeln_cli.store.claims import Claims
from staffeln_cli.store.cloud_identity import CloudIdentity
from staffeln_cli.store.database import Database, Fence
from staffeln_cli.store.disabled_hosts import DisabledHosts
from staffeln_cli.store.drills import Drills
from staffeln_cli.store.durations import Durations
from staffeln_cli.store.events import Events
from staffeln_cli.store.exports import Exports
from staffeln_cli.store.former_owners import FormerOwners
from staffeln_cli.store.inventory import Inventory
from staffeln_cli.store.leases import Leases
from staffeln_cli.store.lifecycle import Lifecycle
from staffeln_cli.store.notes import Notes
from staffeln_cli.store.observations import Observations
from staffeln_cli.store.pauses import StoredPauses
from staffeln_cli.store.projects import Projects
from staffeln_cli.store.queries import Caps, Claim
from staffeln_cli.store.records import Records
from staffeln_cli.store.reports import Reports
from staffeln_cli.store.restorations import Restorations
from staffeln_cli.store.runs import Runs
from staffeln_cli.store.servers import Servers
from staffeln_cli.store.status_queries import Filter, StatusQueries
from staffeln_cli.store.successes import Successes

__all__ = ["Caps", "Claim", "Database", "Fence", "Filter", "Inventory", "Leases", "Store"]


class Store:
    """One database, by what is kept in it."""

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], datetime] | None = None,
        stopping: threading.Event | None = None,
    ) -> None:
        self.database = Database(url, clock=clock, stopping=stopping)
        self.records = Records(self.database)
        self.lifecycle = Lifecycle(self.database)
        self.drills = Drills(self.database)
        self.claims = Claims(self.database)
        self.notes = Notes(self.database)
        self.inventory = Inventory(self.database)
        self.former_owners = FormerOwners(self.database)
        self.pauses = StoredPauses(self.database)
        self.projects = Projects(self.database)
        self.status_queries = StatusQueries(self.database)
        self.durations = Durations(self.database)
        self.events = Events(self.database)
        self.reports = Reports(self.database)
        self.successes = Successes(self.database)
        self.runs = Runs(self.database)
        self.exports = Exports(self.database)
        self.servers = Servers(self.database)
        self.restorations = Restorations(self.database)
        self.disabled_hosts = DisabledHosts(self.database)
        self.catalog = CatalogRows(self.database)
        self.cloud = CloudIdentity(self.database)
        self.observations = Observations(self.database)

    def close(self) -> None:
        """Give all connections back."""
        self.database.close()
