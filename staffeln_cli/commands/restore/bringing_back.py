"""Bring servers back with their volumes, or a project's: the quickest first, each once."""

import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from functools import partial

from staffeln_cli.commands.restore.lost import lost
from staffeln_cli.commands.restore.plan import Plan, RestoreRequest
from staffeln_cli.commands.restore.preparing import Preparation, Prepared
from staffeln_cli.errors import (
    CloudUnavailable,
    LockHeld,
    Refused,
    RestorationFailed,
    ResultUnknown,
)
from staffeln_cli.model import Decision
from staffeln_cli.model.durations import Duration
from staffeln_cli.model.restorations import Part, PartKind, Restoration, RestorationId
from staffeln_cli.operations.restoration import carry_on
from staffeln_cli.planning.recreating import time_for_all
from staffeln_cli.planning.recreation_commands import (
    ServerToMake,
    VolumeToMake,
    commands,
    volume_command,
)
from staffeln_cli.planning.retention.keep_rules import stamp
from staffeln_cli.runtime import Run

_PLACEHOLDER = re.compile(r"\bSERVER(?= \S+$)|\bVOLUME$")
"""In the command at the end of a difference."""
_AT_ONCE = 4
"""Servers and volumes that are under way at once: the first is back before all have begun."""


def bring_back(run: Run, request: RestoreRequest) -> None:
    """Look at everything, then make it, or show the commands that would."""
    run.shows_decisions = not request.prints
    wanted = lost(run, request)
    prepared = sorted(
        Preparation(run, request).prepared(wanted.servers, wanted.volumes),
        key=lambda one: one.order,
    )
    if request.prints:
        run.next_steps += _commands(run, prepared)
        return
    for one in prepared:
        _announce(run, one)
    if run.dry_run:
        _estimate(run, prepared)
        for restoration in wanted.begun:
            _decide(run, restoration, "would be carried on")
        return
    with _alone(run):
        begun = [_begun(run, request, one) for one in prepared]
        _carry_on_all(run, [*wanted.begun, *begun], prepared)


@contextmanager
def _alone(run: Run) -> Iterator[None]:
    """Two at once would bring the same server back."""
    try:
        with run.runtime.lock("restore"):
            yield
    except LockHeld as held:
        raise RestorationFailed(f"another run brings servers back now: {held}") from held


def _announce(run: Run, one: Prepared) -> None:
    """What a dry run shows of a server or volume; otherwise it is shown when it is back."""
    if not run.dry_run:
        return
    sources = ", ".join(_described(plan) for plan in one.plans) or "an image"
    took = "" if one.seconds is None else f"; takes about {_duration(one.seconds)}"
    action = "recreate" if one.kind is PartKind.SERVER else "restore"
    text = f"of {sources}{took}"
    run.decide(Decision(action, one.kind, one.item_id, one.name, text))
    for difference in one.differences:
        run.decide(Decision("differ", one.kind, one.item_id, one.name, f"differs: {difference}"))
    run.count("restoring", len(one.plans))


def _described(plan: Plan) -> str:
    size, moment = plan.new.size_gib, stamp(plan.backup.created_at)
    return f"{plan.source.name or plan.backup.volume_id} ({size} GiB, backup of {moment})"


def _estimate(run: Run, prepared: Sequence[Prepared]) -> None:
    """How long all of it should take, by restore drills."""
    if len(prepared) < 2:
        return
    took = _expected(prepared)
    if took is None:
        text = "no restore drill has measured how long that takes; the smallest goes first"
    else:
        text = f"should take about {took} in all; the quickest goes first"
    run.decide(Decision("estimate", "items", "", f"{len(prepared):,}", text))


def _expected(prepared: Sequence[Prepared]) -> Duration | None:
    known = [one.seconds for one in prepared if one.seconds is not None]
    return _duration(time_for_all(known, _AT_ONCE)) if known else None


def _duration(seconds: float) -> Duration:
    return Duration(exact=timedelta(seconds=max(1, round(seconds))))


def _begun(run: Run, request: RestoreRequest, one: Prepared) -> Restoration:
    """Write what is wanted, all of it, before anything is asked for."""
    restoration = Restoration(
        id=RestorationId(secrets.token_hex(8)),
        kind=one.kind,
        item_id=one.item_id,
        item_name=one.name,
        project_id=one.project_id,
        at=request.at,
        begun_at=run.now(),
    )
    run.store.restorations.begin(restoration, list(_parts(restoration, one)))
    return restoration


def _parts(restoration: Restoration, one: Prepared) -> Iterator[Part]:
    made = partial(Part, restoration.id)
    number = 0
    for plan in one.plans:
        is_root = one.has_root and number == 0
        doomed = one.deleted_with_server[number] if one.deleted_with_server else False
        request = asdict(plan.new) | {
            "backup_id": plan.backup.id,
            "source_name": plan.source.name,
            "bootable": plan.source.bootable,
            "is_root": is_root,
            "deleted_with_server": doomed,
        }
        yield made(number, PartKind.VOLUME, plan.backup.volume_id, plan.new.name, request)
        number += 1
    for port in one.ports:
        name = f"staffeln-{restoration.id}-{number}"
        yield made(number, PartKind.PORT, ", ".join(port.ips), name, port._asdict())
        number += 1
    if one.server is not None:
        yield made(number, PartKind.SERVER, one.item_id, one.name, asdict(one.server))


def _carry_on_all(
    run: Run, restorations: Sequence[Restoration], prepared: Sequence[Prepared]
) -> None:
    differences = {one.item_id: one.differences for one in prepared}
    done, took = 0, _expected(prepared)
    what = "brought back" if took is None else f"brought back (about {took} in all)"
    run.runtime.progress(what, done, len(restorations))

    def work(restoration: Restoration) -> None:
        _carry_on(run, restoration, differences.get(restoration.item_id, ()))

    for _ in run.parallel(work, restorations, workers=_AT_ONCE):
        done += 1
        run.runtime.progress(what, done, len(restorations))


def _carry_on(run: Run, restoration: Restoration, differences: Sequence[str]) -> None:
    try:
        back = carry_on(run, restoration)
    except (RestorationFailed, Refused, ResultUnknown, CloudUnavailable) as error:
        run.fail(restoration.kind, restoration.item_id, str(error), name=restoration.item_name)
        run.count("failed")
        return
    run.count("restored", back.volumes)
    status = ""
    if restoration.kind is PartKind.SERVER:
        run.count("recreated")
        status = ", ACTIVE"
    _decide(run, restoration, f"is back as {back.id}{status}")
    for difference in (*differences, *back.differences):
        _decide(run, restoration, f"differs: {_PLACEHOLDER.sub(back.id, difference)}")


def _decide(run: Run, restoration: Restoration, reason: str) -> None:
    action = "recreate" if restoration.kind is PartKind.SERVER else "restore"
    name = restoration.item_name
    run.decide(Decision(action, restoration.kind, restoration.item_id, name, reason))


def _commands(run: Run, prepared: Sequence[Prepared]) -> Iterator[str]:
    names = run.store.projects.names()
    for one in prepared:
        project = names.get(one.project_id) or one.project_id
        volumes = [
            VolumeToMake(
                plan.backup.id,
                plan.new,
                is_root=one.has_root and number == 0,
                deleted_with_server=bool(one.deleted_with_server)
                and one.deleted_with_server[number],
            )
            for number, plan in enumerate(one.plans)
        ]
        if one.server is None:
            yield f"# volume {one.name or one.item_id}, with a role in project {project}:"
            yield from map(volume_command, volumes)
        else:
            yield from commands(
                ServerToMake(project, one.server, volumes, one.ports, one.differences)
            )
