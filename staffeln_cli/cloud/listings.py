"""Whole-cloud listings: what is asked for, page by page, and what of it is not understood."""

import logging
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import msgspec

from staffeln_cli.cloud import decode, pages
from staffeln_cli.cloud.api import Api, Unexpected
from staffeln_cli.cloud.pages import Listing, ReadPage
from staffeln_cli.cloud.pagination import (
    AHEAD,
    KeystoneLinks,
    Progress,
    Query,
    from_both_ends,
    in_order,
    query_of,
)
from staffeln_cli.cloud.retries import says_absent
from staffeln_cli.cloud.rows import Rows, rows_of
from staffeln_cli.errors import CloudUnavailable, ListingIncomplete, NotWholeCloud
from staffeln_cli.model import (
    Backup,
    BackupId,
    Project,
    ProjectId,
    Server,
    Volume,
)

log = logging.getLogger(__name__)

_Fact = TypeVar("_Fact")
_Facts = Generator[list[_Fact], None, None]
_BY_AGE = {  # nova:nova/api/openstack/common.py:get_sort_params, cinder's of the same name
    "compute": [{"sort_key": "created_at", "sort_dir": order} for order in ("desc", "asc")],
    "block_storage": [{"sort": f"created_at:{order}"} for order in ("desc", "asc")],
}
"""How each service is asked for the newest first, and for the oldest first."""
_VOLUMES_AHEAD = 6
"""Pages; nobody reads volumes before all servers are known, and their pages are the most."""


class Listings:
    """Listings of everything in the cloud, page by page.

    Each raises ListingIncomplete when a page could not be had: what came before it is then no
    evidence that anything else is gone. Each raises NotWholeCloud when a row lacks its project,
    which only admins are shown.
    """

    def __init__(self, api: Api, metadata_keys: Collection[str]) -> None:
        """Of the metadata of servers and volumes only these keys are kept."""
        self._api = api
        self._servers = pages.servers(metadata_keys)
        self._volumes = pages.volumes(metadata_keys)
        self._backups = pages.backups()
        self.projects_seen: dict[str, set[ProjectId]] = {}
        """By kind of listing, the projects that own its rows: one alone may be all that a login
        without the admin role is shown."""

    def servers(self) -> Iterator[list[Server]]:
        """All servers of all projects, from both ends; Nova omits those of a cell that is down."""
        return self._both(self._servers, all_tenants="1")

    def servers_of(self, project_id: ProjectId) -> list[Server]:
        """The servers of one project."""
        return self._flat(self._servers, all_tenants="1", project_id=project_id)

    def volumes(self) -> _Facts[Volume]:
        """All volumes of all projects, from both ends, without Cinder's own temporary ones."""
        query = {"all_tenants": "1", "consumes_quota": "true"}
        return self._both(self._volumes, ahead=_VOLUMES_AHEAD, **query)

    def volumes_named(self, name: str) -> list[Volume]:
        """The volumes of this exact name, in whatever project."""
        return self._flat(self._volumes, all_tenants="1", name=name)

    def own_volumes(self) -> list[Volume]:
        """The volumes of the login's own project."""
        return self._flat(self._volumes)

    def backups(self) -> Iterator[list[Backup]]:
        """All backups of all projects, from both ends: newest and oldest first."""
        return self._both(self._backups, all_tenants="1")

    def backups_by_volume(self) -> Iterator[list[Backup]]:
        """All backups of all projects, those of each volume together, newest first."""
        order = "volume_id:asc,created_at:desc,id:desc"
        return self._pages(self._backups, all_tenants="1", sort=order)

    def backups_named(self, name: str) -> list[Backup]:
        """The backups of this exact name, in whatever project."""
        return self._flat(self._backups, all_tenants="1", name=name)

    def backups_of(self, volume_id: str) -> list[Backup]:
        """The backups of one volume, in whatever project."""
        return self._flat(self._backups, all_tenants="1", volume_id=volume_id)

    def backups_with_status(self, status: str) -> list[Backup]:
        """The backups in this status, in whatever project."""
        return self._flat(self._backups, all_tenants="1", status=status)

    def children(self, backup_id: BackupId) -> list[Backup]:
        """The backups that depend directly on this one, whoever owns them, in whatever status."""
        return self._flat(self._backups, all_tenants="1", parent_id=backup_id)

    def projects(self) -> list[Project]:
        """All projects; Keystone links further pages only where it limits lists."""
        found: dict[ProjectId, Project] = {}
        progress = Progress()
        query: Query | None = {}
        while query is not None:
            progress.ask(query)
            rows, following = self._projects_page(query)
            before = len(found)
            found.update((project.id, project) for project in map(decode.project, rows))
            has_news = bool(rows.odd) or len(found) > before
            progress.check(query, following, has_news=has_news)
            query = following
        return list(found.values())

    def _projects_page(self, query: Query) -> tuple[Rows[decode.RawProject], Query | None]:
        try:
            body = self._body("identity", "/projects", None, query)
        except _MarkerGone as error:
            raise ListingIncomplete("GET /projects: its marker is gone meanwhile") from error
        with _whole("/projects"):
            page = msgspec.json.decode(body, type=_ProjectsPage)
            rows = rows_of(body, "projects", decode.RawProject, "GET /projects")
        self._name_odd(rows)
        following = page.links.next if page.links else None
        if page.truncated and not following:
            raise ListingIncomplete(
                "Keystone cut its list of projects short (list_limit) and gives no next page;"
                " raise [resource]list_limit in keystone.conf"
            )
        return rows, query_of(following) if following else None

    def _name_odd(self, rows: Rows[decode.RawProject]) -> None:
        """ListingIncomplete where an odd row cannot be named: it may be any project's."""
        for row in rows.odd:
            if not row.id:
                raise ListingIncomplete(f"GET /projects: not understood: {row.reason}")
        self._api.understood("project", rows)

    def _flat(self, listing: Listing[_Fact], **query: str) -> list[_Fact]:
        return [fact for page in self._pages(listing, **query) for fact in page]

    def _pages(self, listing: Listing[_Fact], **query: str) -> _Facts[_Fact]:
        self._api.login()
        return self._facts(listing, in_order(partial(self._page, listing), query))

    def _both(self, listing: Listing[_Fact], *, ahead: int = AHEAD, **query: str) -> _Facts[_Fact]:
        self._api.login()
        newest, oldest = ({**query, **order} for order in _BY_AGE[listing.service])
        self.projects_seen[listing.kind] = set()
        rows = from_both_ends(partial(self._page, listing), newest, oldest, ahead=ahead)
        return self._facts(listing, rows)

    def _page(self, listing: Listing[Any], query: Query, seen: Sequence[str]) -> ReadPage:
        """One page; where the row that marks its start was deleted, start from an earlier row.

        A row that comes again, within the page or after the one before, is dropped.
        """
        known = set(seen)
        for marker in _markers(seen):
            if marker is not None:
                query = {**query, "marker": marker}
            try:
                body = self._body(listing.service, listing.path, listing.microversion, query)
            except _MarkerGone:
                log.info("%s: the row that marked the page is gone", listing.path)
                continue
            page = listing.page(body)
            for row in page.unreadable:
                self._api.on_unreadable(row)
            fresh = {row.id: row for row in page.rows if row.id not in known}
            page.rows = list(fresh.values())
            return page
        raise ListingIncomplete(f"GET {listing.path}: all rows that could mark the page are gone")

    def _facts(self, listing: Listing[_Fact], rows: Iterator[list[Any]]) -> _Facts[_Fact]:
        seen = self.projects_seen.setdefault(listing.kind, set())
        for page in rows:
            facts, unreadable = listing.decoded(page)
            for row in unreadable:
                self._api.on_unreadable(row)
            seen.update({fact.project_id for fact in facts})  # type: ignore[attr-defined]  # all have one
            yield facts

    def _body(self, service: str, path: str, microversion: str | None, query: Query) -> bytes:
        try:
            return self._api.get(service, path, microversion=microversion, **query)
        except Unexpected as error:
            if _says_marker_gone(error, query.get("marker")):
                raise _MarkerGone from error
            if error.status == 400 and "Invalid filters" in error.reason:  # as others are told
                raise NotWholeCloud(f"GET {path}: {error.reason}") from error
            raise ListingIncomplete(str(error)) from error
        except CloudUnavailable as error:
            raise ListingIncomplete(str(error)) from error


class _ProjectsPage(msgspec.Struct):
    links: KeystoneLinks | None = None
    truncated: bool = False


class _MarkerGone(Exception):
    """The row that a page should start after does not exist any more."""


def _says_marker_gone(error: Unexpected, marker: str | None) -> bool:
    """Whether the service itself says that it has no such row; Nova says so with a 400."""
    if marker is None:
        return False
    is_nova = error.status == 400 and "marker" in error.reason and marker in error.reason
    return is_nova or says_absent(error.response, marker)


def _markers(seen: Sequence[str]) -> Iterator[str | None]:
    """Markers to try: the server's own, then earlier rows of the last page in growing steps.

    Listings are ordered by columns that never change, so that starting after an earlier row gives
    the same rows again, and then the new ones.
    """
    yield None
    step = 2
    while step <= len(seen):
        yield seen[-step]
        step *= 2
    if seen:
        yield seen[0]


@contextmanager
def _whole(path: str) -> Iterator[None]:
    """A page that is not understood leaves the listing incomplete."""
    try:
        with decode.understood(f"GET {path}"):
            yield
    except CloudUnavailable as error:
        raise ListingIncomplete(str(error)) from error
