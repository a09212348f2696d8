"""Whole-cloud listings: what is asked for, and how raw pages become facts."""

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec

from staffeln_cli.cloud import decode
from staffeln_cli.cloud.api import Api, Unexpected
from staffeln_cli.cloud.pagination import Page, Query, from_both_ends, in_order
from staffeln_cli.errors import CloudUnavailable, ListingIncomplete, NotWholeCloud
from staffeln_cli.model import Backup, BackupId, Project, Server, Volume

log = logging.getLogger(__name__)

NOVA = "2.3"
CINDER_VOLUMES = "3.65"
CINDER_BACKUPS = "3.64"

_Fact = TypeVar("_Fact")
_Facts = Generator[list[_Fact], None, None]


@dataclass(frozen=True, slots=True)
class _Listing(Generic[_Fact]):
    """One kind of listing: where it is, how a page is read, how a row becomes a fact."""

    service: str
    path: str
    microversion: str
    decoder: msgspec.json.Decoder[Any]
    fact: Callable[[Any], _Fact]


_SERVERS = _Listing("compute", "/servers/detail", NOVA, decode.server_pages, decode.server)
_BY_AGE = {  # nova:nova/api/openstack/common.py:get_sort_params, cinder's of the same name
    "compute": [{"sort_key": "created_at", "sort_dir": one} for one in ("desc", "asc")],
    "block_storage": [{"sort": f"created_at:{one}"} for one in ("desc", "asc")],
}
"""How each service is asked for the newest first, and for the oldest first."""
_VOLUMES = _Listing(
    "block_storage", "/volumes/detail", CINDER_VOLUMES, decode.volume_pages, decode.volume
)
_BACKUPS = _Listing(
    "block_storage", "/backups/detail", CINDER_BACKUPS, decode.backup_pages, decode.backup
)


class Listings:
    """Listings of everything in the cloud, page by page.

    Each raises ListingIncomplete when a page could not be had: what came before it is then no
    evidence that anything else is gone.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def servers(self) -> Iterator[list[Server]]:
        """All servers of all projects, from both ends; Nova omits those of a cell that is down."""
        return self._both(_SERVERS, all_tenants="1")

    def volumes(self) -> _Facts[Volume]:
        """All volumes of all projects, from both ends, without Cinder's own temporary ones."""
        return self._both(_VOLUMES, all_tenants="1", consumes_quota="true")

    def volumes_named(self, name: str) -> list[Volume]:
        """The volumes of this exact name, in whatever project."""
        return self._flat(_VOLUMES, all_tenants="1", name=name)

    def backups(self) -> Iterator[list[Backup]]:
        """All backups of all projects, from both ends: newest and oldest first."""
        return self._both(_BACKUPS, all_tenants="1")

    def backups_by_volume(self) -> Iterator[list[Backup]]:
        """All backups of all projects, those of each volume together, newest first."""
        order = "volume_id:asc,created_at:desc,id:desc"
        return self._pages(_BACKUPS, all_tenants="1", sort=order)

    def backups_named(self, name: str) -> list[Backup]:
        """The backups of this exact name, in whatever project."""
        return self._flat(_BACKUPS, all_tenants="1", name=name)

    def backups_of(self, volume_id: str) -> list[Backup]:
        """The backups of one volume, in whatever project."""
        return self._flat(_BACKUPS, all_tenants="1", volume_id=volume_id)

    def backups_with_status(self, status: str) -> list[Backup]:
        """The backups in this status, in whatever project."""
        return self._flat(_BACKUPS, all_tenants="1", status=status)

    def children(self, backup_id: BackupId) -> list[Backup]:
        """The backups that build directly on this one, whoever owns them, in whatever status."""
        return self._flat(_BACKUPS, all_tenants="1", parent_id=backup_id)

    def projects(self) -> list[Project]:
        """All projects; Keystone links further pages only where it limits lists."""
        found: list[Project] = []
        query: dict[str, str] | None = {}
        while query is not None:
            body = self._body("identity", "/projects", None, query)
            with _whole("/projects"):
                page = msgspec.json.decode(body)
                found += [decode.project(raw) for raw in page["projects"]]
                following = (page.get("links") or {}).get("next")
            if page.get("truncated") and not following:
                raise ListingIncomplete(
                    "Keystone cut its list of projects short (list_limit) and gives no next page;"
                    " raise [resource]list_limit in keystone.conf"
                )
            link = decode.RawLink(rel="next", href=following or "")
            query = decode.next_query([link]) if following else None
        return found

    def _flat(self, listing: _Listing[_Fact], **query: str) -> list[_Fact]:
        return [fact for page in self._pages(listing, **query) for fact in page]

    def _pages(self, listing: _Listing[_Fact], **query: str) -> _Facts[_Fact]:
        self._api.login()
        return _facts(listing, in_order(partial(self._page, listing), query))

    def _both(self, listing: _Listing[_Fact], **query: str) -> _Facts[_Fact]:
        self._api.login()
        newest, oldest = ({**query, **order} for order in _BY_AGE[listing.service])
        return _facts(listing, from_both_ends(partial(self._page, listing), newest, oldest))

    def _page(self, listing: _Listing[Any], query: Query, seen: Sequence[str]) -> Page:
        """One page; where the row that marks its start was deleted, start from an earlier row."""
        for marker, fresh_from in _markers(seen):
            if marker is not None:
                query = {**query, "marker": marker}
            try:
                body = self._body(listing.service, listing.path, listing.microversion, query)
            except _MarkerGone:
                log.info("%s: the row that marked the page is gone", listing.path)
                continue
            page: Page = _decoded(listing, body)
            known = set(seen[fresh_from:])
            page.rows = [row for row in page.rows if row.id not in known]
            return page
        raise ListingIncomplete(f"GET {listing.path}: all rows that could mark the page are gone")

    def _body(
        self, service: str, path: str, microversion: str | None, query: dict[str, str]
    ) -> bytes:
        try:
            return self._api.get(service, path, microversion=microversion, **query)
        except Unexpected as error:
            if error.status == 404 and "marker" in query:
                raise _MarkerGone from error
            if error.status == 400 and "marker" in error.reason:  # Nova's way of saying it
                raise _MarkerGone from error
            if error.status == 400 and "Invalid filters" in error.reason:  # as others are told
                raise NotWholeCloud(f"GET {path}: {error.reason}") from error
            raise ListingIncomplete(str(error)) from error
        except CloudUnavailable as error:
            raise ListingIncomplete(str(error)) from error


def _facts(listing: _Listing[_Fact], pages: Iterator[list[Any]]) -> _Facts[_Fact]:
    for rows in pages:
        with _whole(listing.path):
            facts = [listing.fact(row) for row in rows]
        yield facts


class _MarkerGone(Exception):
    """The row that a page should start after does not exist any more."""


def _markers(seen: Sequence[str]) -> Iterator[tuple[str | None, int]]:
    """Markers to try: the server's own, then earlier rows of the last page in growing steps.

    Listings are ordered by columns that never change, so that starting after an earlier row gives
    the same rows again, and then the new ones. The number is where those seen again begin.
    """
    yield None, len(seen)
    step = 2
    while step <= len(seen):
        yield seen[-step], len(seen) - step + 1
        step *= 2
    if seen:
        yield seen[0], 1


def _decoded(listing: _Listing[Any], body: bytes) -> Page:
    with _whole(listing.path):
        page: Page = listing.decoder.decode(body)
    return page


@contextmanager
def _whole(path: str) -> Iterator[None]:
    """A page that is not understood leaves the listing incomplete."""
    try:
        with decode.understood(f"GET {path}"):
            yield
    except CloudUnavailable as error:
        raise ListingIncomplete(str(error)) from error
