"""What a cloud can say that is not so, for as long as one pass lasts."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from staffeln_cli.demo.simcloud import Request, SimCloud

SETTLE_TIME = timedelta(minutes=10)
"""How far an API node may lag behind: what is older is judged when it is absent twice."""
TOLERANCE = timedelta(minutes=5)
"""How far clocks may differ."""
LISTINGS = {
    "server": "/servers/detail",
    "volume": "/volumes/detail",
    "backup": "/backups/detail",
    "project": r"/v3/projects(\?|$)",
}
_JUDGED = {"collect": {"volume", "project"}, "check": {"backup"}}
"""What each pass asks for by its id where a listing lacks it."""
_AT_MOST = 100
"""Requests of one pass that a lie may meet."""


@dataclass
class Lie:
    """What was told in one pass, and what has to follow of it."""

    hidden: frozenset[str] = frozenset()
    """The ids of the rows that were not shown."""
    kind: str = ""
    """Of what kind they are."""
    is_refused: bool = False
    """A proxy answered for their ids: that proves nothing, and the pass did not go well."""
    is_believable: bool = False
    """A service said in its own words that something is not there."""
    is_narrow: bool = False
    """Cinder showed the rows of the login's own project alone."""
    host_offset: timedelta = timedelta()
    wrong_services: frozenset[str] = frozenset()
    """The services that stated another time than the host's, by more than the tolerance."""
    met: list[Request] = field(default_factory=list)
    """The requests of the pass."""


def may_be_ok(command: str, lie: Lie, known: Collection[str]) -> bool:
    """Whether a pass may say that all went well, although it was told this.

    `known` are the ids on record, of the kind that the lie is about.
    """
    if abs(lie.host_offset) > TOLERANCE:
        return False
    met = {one.path.split("/")[1] for one in lie.met if one.status == 200}
    if met & lie.wrong_services:
        return False
    is_listed = any("/backups/detail" in one.path for one in lie.met)
    if lie.is_narrow:
        return command == "backup" or not is_listed
    is_judged = is_listed and lie.kind in _JUDGED.get(command, ())
    return not (lie.is_refused and is_judged and lie.hidden.intersection(known))


@dataclass(frozen=True)
class Chosen:
    """What the lie is about."""

    cloud: SimCloud
    kind: str
    rows: list[str]
    suspected: Collection[str] = ()
    """What was missed already: a service does not forget the same thing twice in a row."""
    number: int = 0
    """Any: which service, which length."""


def omitted(chosen: Chosen) -> Lie:
    """Rows are missing from listings, and there when they are asked for by their ids."""
    chosen.cloud.faults.omit_next(LISTINGS[chosen.kind], chosen.rows, _AT_MOST)
    return Lie(frozenset(chosen.rows), chosen.kind)


def behind_a_proxy(chosen: Chosen) -> Lie:
    """The same, but a proxy answers for their ids, and for requests to delete them."""
    if not chosen.rows:
        return Lie()
    ids = "|".join(chosen.rows)
    for method in ("GET", "DELETE"):
        chosen.cloud.faults.proxy_404_next(method, f"/{chosen.kind}s/({ids})$", _AT_MOST)
    chosen.cloud.faults.omit_next(LISTINGS[chosen.kind], chosen.rows, _AT_MOST)
    return Lie(frozenset(chosen.rows), chosen.kind, is_refused=True)


def forgotten(chosen: Chosen) -> Lie:
    """A node knows nothing of rows, however old: it says so in the service's own words."""
    rows = frozenset(chosen.rows) - frozenset(chosen.suspected)
    chosen.cloud.settings.lagging_rows = rows
    return Lie(rows, chosen.kind, is_believable=True)


def stale(chosen: Chosen) -> Lie:
    """A node knows nothing of what is younger than the settle time, nor of what is made now."""
    cloud = chosen.cloud

    def lag(_: Request) -> None:
        since = cloud.now() - SETTLE_TIME
        rows = (*cloud.volumes(), *cloud.backups(), *cloud.servers())
        cloud.settings.lagging_rows = young(rows, since)

    cloud.on_request = lag
    return Lie(is_believable=True)


def narrowed(chosen: Chosen) -> Lie:
    """Cinder does not treat the login as an admin."""
    chosen.cloud.settings.cinder_narrows = True
    return Lie(is_narrow=True)


def wrong_host(chosen: Chosen) -> Lie:
    """The host's clock is off: within the tolerance, by minutes, by weeks."""
    return Lie(host_offset=_offset(chosen.number))


def wrong_service(chosen: Chosen) -> Lie:
    """One service states another time than the others."""
    service = ("identity", "compute", "volume")[chosen.number % 3]
    offset = _offset(chosen.number // 3)
    chosen.cloud.settings.clock_offsets = {service: offset}
    is_wrong = abs(offset) > TOLERANCE
    return Lie(wrong_services=frozenset([service] if is_wrong else []))


def moved(chosen: Chosen) -> Lie:
    """Cinder says that backups were made earlier or later than they were."""
    made = {one["id"]: one["created_at"] for one in chosen.cloud.backups()}
    columns = {
        one: {"created_at": f"{made[one] + _offset(chosen.number):%Y-%m-%dT%H:%M:%S}.000000"}
        for one in chosen.rows
        if one in made
    }
    chosen.cloud.faults.spoil_next("/backups", columns, _AT_MOST)
    return Lie()


def lost(chosen: Chosen) -> Lie:
    """The answer to a request to create a backup is lost, and a node lags at the same time."""
    acting = chosen.number % 2 == 0
    chosen.cloud.faults.lose_reply_next("POST", "/backups$", acting=acting, times=2)
    return stale(chosen)


def doubled(chosen: Chosen) -> Lie:
    """Listings show each row twice."""

    def twice(_: Request, body: dict[str, Any]) -> dict[str, Any]:
        return {
            key: value * 2 if isinstance(value, list) and not key.endswith("_links") else value
            for key, value in body.items()
        }

    chosen.cloud.faults.edit_next(LISTINGS[chosen.kind], twice, _AT_MOST)
    return Lie()


def misowned(chosen: Chosen) -> Lie:
    """Listings show volumes in a project that does not own them."""
    owners = {one["id"]: one["project_id"] for one in chosen.cloud.volumes()}
    projects = sorted({*owners.values(), *(one["project_id"] for one in chosen.cloud.servers())})
    columns = {
        volume: {"os-vol-tenant-attr:tenant_id": other}
        for volume in chosen.rows
        if volume in owners
        for other in projects
        if other != owners[volume]
    }
    chosen.cloud.faults.spoil_next(LISTINGS["volume"], columns, _AT_MOST)
    return Lie()


def broken(chosen: Chosen) -> Lie:
    """Listings show backups as failed."""
    columns = {one: {"status": "error"} for one in chosen.rows}
    chosen.cloud.faults.spoil_next(LISTINGS["backup"], columns, _AT_MOST)
    return Lie()


Tell = Callable[[Chosen], Lie]


def young(rows: Iterable[dict[str, Any]], since: datetime) -> frozenset[str]:
    """The ids of the rows that were made after a moment."""
    return frozenset(one["id"] for one in rows if one["created_at"] > since)


def _offset(number: int) -> timedelta:
    length = (
        timedelta(minutes=4),
        timedelta(minutes=6),
        timedelta(days=2),
        timedelta(days=40),
    )[number // 2 % 4]
    return length if number % 2 else -length
