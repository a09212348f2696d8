"""The demonstration's retention: what goes after four weeks, in which order, and what stays."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from staffeln_cli.commands import retain
from staffeln_cli.demo.screens import Beat, Chapter, Reason, Reasons, Told
from staffeln_cli.demo.stage import Stage, Untrue, seen
from staffeln_cli.model import Decision

_SUNDAYS = (14, 21)
_LAST = 28


def retention(stage: Stage) -> Iterator[Beat]:
    """Fast forward to the first Sunday on which something may go."""
    yield from _weeks(stage)
    yield Chapter(5, "Retention", stage.cloud.now())
    yield Told("What would go, and why? (Each backup has a line; here they are counted.)")
    plan = stage.with_runtime(lambda runtime: retain.run(runtime, dry_run=True))
    yield stage.ran("retain --dry-run", plan)
    yield Reasons(list(_in_short(stage, plan.decisions)))
    before = {one["id"]: one for one in stage.cloud.backups()}
    first_request = len(stage.cloud.requests)
    yield stage.ran("retain")
    yield stage.calendar()
    after = {one["id"] for one in stage.cloud.backups()}
    deleted = [
        before[request.path.rpartition("/")[2]]
        for request in stage.cloud.requests[first_request:]
        if request.method == "DELETE"
    ]
    yield from _facts(stage, plan.decisions, deleted, before.keys() - after)


def _weeks(stage: Stage) -> Iterator[Beat]:
    """Quiet nights; retention runs on Sundays, and finds nothing that may go yet."""
    for day in range(11, _LAST + 1):
        stage.night(day)
        if day in _SUNDAYS and stage.run("retain").counts["expired"]:
            raise Untrue(f"something expired on {day} June already")
        yield stage.calendar(moving=True)


def _in_short(stage: Stage, decisions: Iterable[Decision]) -> Iterator[Reason]:
    """Runs of backups of one volume about which the plan says the same."""
    backups = {one["id"]: one for one in stage.cloud.backups()}
    names = {volume_id: name for name, volume_id in stage.ids.items()}
    places = list(stage.ids)
    said = [
        (names[backups[one.id]["volume_id"]], backups[one.id]["created_at"], one)
        for one in decisions
    ]
    said.sort(key=lambda row: (places.index(row[0]), row[1]))
    for (volume, action, why), rows in groupby(
        said, lambda row: (row[0], row[2].action, _why(row[2]))
    ):
        nights = [moment.day for _, moment, _ in rows]
        yield Reason(volume, action, len(nights), f"{nights[0]}-{nights[-1]} June", why)


def _why(decision: Decision) -> str:
    """The reason without the moments that make each one different."""
    return re.split(r" until |;", decision.reason)[0]


def _facts(
    stage: Stage, plan: Iterable[Decision], deleted: list[dict[str, Any]], gone: set[str]
) -> Iterator[Beat]:
    planned = {one.id for one in plan if one.action == "remove"}
    yield seen(
        bool(gone) and planned == gone == {one["id"] for one in deleted},
        f"the plan said so: exactly those {len(gone)} are gone from Cinder",
    )
    by_volume: dict[str, list[Any]] = {}
    for one in deleted:
        by_volume.setdefault(one["volume_id"], []).append(one["created_at"])
    yield seen(
        all(made == sorted(made, reverse=True) for made in by_volume.values())
        and stage.cloud.refused_deletes() == [],
        "newest first in each chain, each when nothing stood on it any more",
    )
    (by_hand,) = stage.manual()
    orders = stage.cloud.backups(volume_id=by_hand["volume_id"])
    beneath = [one for one in orders if one["created_at"] < by_hand["created_at"]]
    above = [one["created_at"].day for one in orders if one["parent_id"] == by_hand["id"]]
    yield seen(
        [one["is_incremental"] for one in beneath] == [False, True, True] and not above,
        "the backup made by hand is there, and so is all that it stands on",
    )
    yield seen(
        stage.ids["ledger"] not in by_volume,
        "five weeks are five weeks: nothing of ledger is gone, typo or not",
    )
