"""The one door to OpenStack."""

import threading
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from staffeln_cli.cloud.api import Api
from staffeln_cli.cloud.backup_actions import BackupActions
from staffeln_cli.cloud.catalog_actions import CatalogActions, decoded_row, encoded_row
from staffeln_cli.cloud.listings import Listings
from staffeln_cli.cloud.login import Login
from staffeln_cli.cloud.lookups import BackupService, Lookups, Quota, Quotas
from staffeln_cli.cloud.members import MemberAddresses, Members, UnexpectedAnswer
from staffeln_cli.cloud.network_actions import NetworkActions, PortToMake
from staffeln_cli.cloud.restore_lookups import RestoreLookups, ServerShape
from staffeln_cli.cloud.scratch_servers import ScratchServers
from staffeln_cli.cloud.server_actions import Flavor, ServerActions, ServerStatus
from staffeln_cli.cloud.server_rows import definition_of, definition_text
from staffeln_cli.cloud.volume_actions import VolumeActions
from staffeln_cli.config.settings import CloudSettings
from staffeln_cli.model import UnreadableRow

__all__ = [
    "BackupService",
    "Cloud",
    "Flavor",
    "Login",
    "MemberAddresses",
    "PortToMake",
    "Quota",
    "Quotas",
    "ServerShape",
    "ServerStatus",
    "UnexpectedAnswer",
    "decoded_row",
    "definition_of",
    "definition_text",
    "encoded_row",
]


class Cloud:
    """One cloud, with one login that is made when it is first needed."""

    def __init__(
        self,
        settings: CloudSettings,
        *,
        now: Callable[[], datetime],
        stopping: threading.Event | None = None,
        metadata_keys: Collection[str] = (),
    ) -> None:
        """`now` is the time by this host; `stopping`, once set, ends the waiting for a cloud.

        Listings keep only these keys of the metadata of servers and volumes.
        """
        self._api = Api(settings, stopping or threading.Event(), now)
        self.listings = Listings(self._api, metadata_keys)
        self.backups = BackupActions(self._api)
        self.restore_lookups = RestoreLookups(self._api)
        self.volumes = VolumeActions(self._api)
        self.servers = ServerActions(self._api)
        self.networks = NetworkActions(self._api)
        self.scratch_servers = ScratchServers(self._api)
        self.catalog = CatalogActions(self._api)
        self.lookups = Lookups(self._api)
        self.members = Members(self._api, settings.admin_roles)

    def name_unreadable(self, to: Callable[[UnreadableRow], None]) -> None:
        """Have each row that is not understood told to this function, and left alone.

        Otherwise the first of them is a ListingIncomplete. By any thread; a row may come twice.
        """
        self._api.on_unreadable = to

    def login(self) -> Login:
        """Log in, unless that has happened, and see that the login can do the job."""
        return self._api.login()

    @property
    def request_count(self) -> int:
        """HTTP requests sent so far."""
        return self._api.request_count

    def clock_skews(self, now: datetime) -> Mapping[str, timedelta]:
        """How far `now` is ahead of each service's clock, of those that have stated the time.

        The services are `keystone`, `nova` and `cinder`.
        """
        return self._api.clock_skews(now)

    def check_clock(self) -> None:
        """From now on, ClockWrong as soon as a service states another time than this host's.

        That is: more than 5 minutes off. What was heard before counts, too.
        """
        self._api.check_clock()

    def clock_skew(self, now: datetime) -> timedelta | None:
        """How far `now` is from the service that differs most; None where none states the time."""
        return max(self.clock_skews(now).values(), key=abs, default=None)

    def close(self) -> None:
        """Close all connections."""
        self._api.close()
