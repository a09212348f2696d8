"""The demonstration's retention: what is deleted after four weeks, and what is kept."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from staffeln_cli.commands import retain
from staffeln_cli.demo.screens import Beat, Chapter, Paragraph, Reason, Reasons
from staffeln_cli.demo.stage import Stage, StoryFailed, seen
from staffeln_cli.model import Decision

_SUNDAYS = (14, 21)
_LAST = 28


def retention(stage: Stage) -> Iterator[Beat]:
    """Skip to the first Sunday on which something has expired."""
    yield from _weeks(stage)
    yield Chapter(5, "Retention", stage.cloud.now())
    yield Paragraph(
        "What would be deleted, and why? (The command shows each backup; here they are counted.)"
    )
    plan = stage.with_runtime(lambda runtime: retain.run(runtime, dry_run=True))
    yield stage.ran("retain --dry-run", plan)
    yield Reasons(list(_in_short(stage, plan.decisions)))
    before = {backup["id"]: backup for backup in stage.cloud.backups()}
    first_request = len(stage.cloud.requests)
    yield stage.ran("retain")
    yield stage.calendar()
    after = {backup["id"] for backup in stage.cloud.backups()}
    deleted = [
        before[request.path.rpartition("/")[2]]
        for request in stage.cloud.requests[first_request:]
        if request.method == "DELETE"
    ]
    yield from _facts(stage, plan.decisions, deleted, before.keys() - after)


def _weeks(stage: Stage) -> Iterator[Beat]:
    """Quiet nights; retention runs on Sundays and finds nothing that has expired."""
    for day in range(11, _LAST + 1):
        stage.night(day)
        if day in _SUNDAYS and stage.run("retain").counts["expired"]:
            raise StoryFailed(f"something expired on {day} June already")
        yield stage.calendar(moving=True)


def _in_short(stage: Stage, decisions: Iterable[Decision]) -> Iterator[Reason]:
    """Successive backups of one volume with the same verdict."""
    backups = {backup["id"]: backup for backup in stage.cloud.backups()}
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
    """The reason without its times, which differ for each backup."""
    return re.split(r" until | \(started |;", decision.reason)[0]


def _facts(
    stage: Stage, plan: Iterable[Decision], deleted: list[dict[str, Any]], gone: set[str]
) -> Iterator[Beat]:
    planned = {one.id for one in plan if one.action == "remove"}
    yield seen(
        bool(gone) and planned == gone == {one["id"] for one in deleted},
        f"exactly the {len(gone)} backups of the plan are gone from Cinder",
    )
    by_volume: dict[str, list[Any]] = {}
    for one in deleted:
        by_volume.setdefault(one["volume_id"], []).append(one["created_at"])
    yield seen(
        all(made == sorted(made, reverse=True) for made in by_volume.values())
        and stage.cloud.refused_deletes() == [],
        "in each chain the newest went first, and none while another depended on it",
    )
    (by_hand,) = stage.manual()
    orders = stage.cloud.backups(volume_id=by_hand["volume_id"])
    beneath = [backup for backup in orders if backup["created_at"] < by_hand["created_at"]]
    above = [backup["created_at"].day for backup in orders if backup["parent_id"] == by_hand["id"]]
    yield seen(
        [one["is_incremental"] for one in beneath] == [False, True, True] and not above,
        "the backup made by hand is kept, and so is everything that it depends on",
    )
    yield seen(
        stage.ids["ledger"] not in by_volume,
        "no backup of ledger is gone: its five weeks hold in spite of the typo",
    )
