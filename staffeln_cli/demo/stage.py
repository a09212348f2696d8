"""The demonstration's set-up: a simulated cloud, an empty database, its own environment."""

import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from staffeln_cli.commands import backup, check, collect, retain
from staffeln_cli.commands.status import views
from staffeln_cli.commands.status.filters import filter_of
from staffeln_cli.config import Settings, load
from staffeln_cli.demo import simcloud
from staffeln_cli.demo.calendar import Calendar
from staffeln_cli.demo.screens import Ran, Seen
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import Outcome
from staffeln_cli.planning.calendar import Mark, Strip, mark_of
from staffeln_cli.runtime import Runtime

if TYPE_CHECKING:
    from staffeln_cli.store import Filter

FIRST_NIGHT = datetime(2026, 6, 1, 22, tzinfo=UTC)
MARKED = {"__staffeln_backup": "true"}
FIVE_WEEKS = MARKED | {"__staffeln_retention": "5w"}
TYPO = MARKED | {"__staffeln_retention": "5weeks"}
SKIPPED = {"skip-volume-backup": "true"}
_AN_HOUR = timedelta(hours=1)
_FOREIGN = ("OS_", "STAFFELN_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_PASSES = {"collect": collect.run, "backup": backup.run, "check": check.run, "retain": retain.run}
_Answer = TypeVar("_Answer")


class StoryFailed(Exception):
    """A fact of the story turned out to be wrong."""


def seen(is_true: bool, text: str) -> Seen:
    """A fact, to be shown only if it is true."""
    if not is_true:
        raise StoryFailed(f"this should be true and is not: {text}")
    return Seen(text)


@dataclass
class Stage:
    """The cloud, the settings of Staffeln, and the ids of the volumes."""

    cloud: SimCloud
    settings: Settings
    summarise: Callable[[Outcome], str]
    ids: dict[str, str] = field(default_factory=dict)
    """Volumes by name."""

    def with_runtime(self, work: Callable[[Runtime], _Answer]) -> _Answer:
        """Do something with a runtime of its own, like a separate process."""
        with closing(Runtime(self.settings, clock=self.cloud.now)) as runtime:
            return work(runtime)

    def run(self, command: str) -> Outcome:
        """One pass of a cycle command."""
        return self.with_runtime(_PASSES[command])

    def ran(self, command: str, outcome: Outcome | None = None) -> Ran:
        """One pass, as its user sees it."""
        outcome = outcome or self.run(command)
        failures = [f"{one.kind} {one.id}: {one.reason}" for one in outcome.failures]
        return Ran(command, self.summarise(outcome), failures, outcome.exit_code)

    def go_to(self, day: int, hour: int) -> None:
        """Let time pass until an hour of a day in June."""
        self.cloud.freeze(FIRST_NIGHT.replace(day=day, hour=hour))

    def night(self, day: int) -> None:
        """A night without trouble: collect and backup at 22:00, check at 23:00."""
        outcomes = self.with_runtime(partial(self._night, day=day))
        if bad := [one for one in outcomes if one.exit_code]:
            raise StoryFailed(f"a quiet night was not quiet: {bad}")

    def _night(self, runtime: Runtime, day: int) -> list[Outcome]:
        self.go_to(day, 22)
        outcomes = [collect.run(runtime), backup.run(runtime)]
        self.go_to(day, 23)
        return [*outcomes, check.run(runtime)]

    def calendar(self, *, moving: bool = False) -> Calendar:
        """The backups of each volume: from the records and, for manual ones, from Cinder."""
        marks = dict(self._of_records()) | self._of_others()
        moments = sorted({moment for _, moment in marks})
        volumes = {one["id"]: one for one in self.cloud.volumes()}
        strips = [
            Strip(
                self.cloud.world.project(volumes[volume_id]["project_id"]).name,
                self.cloud.world.server(volumes[volume_id]["attachments"][0].server_id).name,
                name,
                [marks.get((volume_id, moment), Mark.BEFORE) for moment in moments],
            )
            for name, volume_id in self.ids.items()
            if any(key[0] == volume_id for key in marks)
        ]
        return Calendar(moments, strips, moving)

    def _of_records(self) -> Iterator[tuple[tuple[str, datetime], Mark]]:
        for record in self.records():
            moment = record["started_at"] or record["planned_at"]
            succeeded = record["succeeded_at"] is not None
            mark = mark_of(record["kind"], record["state"], succeeded=succeeded)
            if mark is not None:
                yield (record["volume_id"], _hour(moment)), mark

    def _of_others(self) -> dict[tuple[str, datetime], Mark]:
        return {(one["volume_id"], _hour(one["created_at"])): Mark.MANUAL for one in self.manual()}

    def records(self) -> list[dict[str, Any]]:
        """All backup records, as `staffeln status backups` has them."""
        view = self.view(views.backups)
        return [dict(zip(view.columns, row, strict=True)) for row in view.rows]

    def view(
        self, look: Callable[[Runtime, "Filter"], views.View], *, server: str | None = None
    ) -> views.View:
        """What a view of `staffeln status` shows."""

        def read(runtime: Runtime) -> views.View:
            view = look(runtime, filter_of(runtime, server=server))
            return replace(view, rows=iter(list(view.rows)))

        return self.with_runtime(read)

    def manual(self) -> list[dict[str, Any]]:
        """The manual backups, from Cinder."""
        return [one for one in self.cloud.backups() if not one["metadata"]]


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


@contextmanager
def staged(summarise: Callable[[Outcome], str]) -> Iterator[Stage]:
    """Set everything up, and leave nothing behind."""
    with ExitStack() as strike:
        folder = Path(strike.enter_context(tempfile.TemporaryDirectory(prefix="staffeln-demo-")))
        cloud = strike.enter_context(simcloud.serving(now=FIRST_NIGHT))
        strike.enter_context(_environment(folder, cloud))
        strike.enter_context(_quiet())
        cloud.settings.finish_after = _AN_HOUR / 3
        settings = load(None, _configuration(folder)).settings
        yield Stage(cloud, settings, summarise)


def _configuration(folder: Path) -> dict[str, str]:
    return {
        "STAFFELN_CLOUD_NAME": "demo",
        "STAFFELN_DATABASE_URL": f"sqlite:///{folder / 'staffeln.db'}",
        "STAFFELN_BACKUP_MIN_INTERVAL": "20h",  # what is made up for at 1:00 is due at 22:00 again
        "STAFFELN_CLOUD_WORKERS": "1",  # whose answer is lost should not be left to chance
    }


@contextmanager
def _environment(folder: Path, cloud: SimCloud) -> Iterator[None]:
    """openstacksdk reads the process's environment: lend it another one, without proxies.

    Its plugin loader remembers entry points in the user's cache folder
    (stevedore:stevedore/_cache.py), which would stay behind.
    """
    entries = folder / "clouds.yaml"
    entries.write_text(cloud.clouds_yaml().replace("  sim:", "  demo:"), encoding="utf-8")
    before = dict(os.environ)
    for name in before:
        if name.startswith(_FOREIGN) or name in _PROXIES:
            del os.environ[name]
    os.environ["OS_CLIENT_CONFIG_FILE"] = str(entries)
    secure = folder / "secure.yaml"  # not the user's; a named file has to exist
    secure.write_text("{}\n", encoding="utf-8")
    os.environ["OS_CLIENT_SECURE_FILE"] = str(secure)
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _quiet() -> Iterator[None]:
    """The story shows the failures; they are not logged."""
    handler = logging.NullHandler()
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


def fill_cloud(stage: Stage) -> None:
    """Fill the cloud."""
    cloud = stage.cloud
    for project in ("webshop", "payroll", "analytics", "research"):
        cloud.people.add_project(project)
        if project != "analytics":  # whose operator has left Cinder's default, 1000 GB
            cloud.people.set_quota(project, backups=10_000, backup_gigabytes=100_000)
    _server(stage, "webshop", "shop-web", MARKED, {"web-root": 20})
    _server(stage, "webshop", "shop-db", MARKED, {"db-root": 20, "orders": 100})
    _server(stage, "payroll", "books", FIVE_WEEKS, {"ledger": 50})
    _server(stage, "analytics", "warehouse", MARKED, {"cubes": 200})
    cloud.things.add_volume("scratch", server="warehouse", size_gib=500, metadata=SKIPPED)
    _server(stage, "research", "notebook", {}, {"papers": 10})


def _server(
    stage: Stage, project: str, name: str, metadata: dict[str, str], volumes: dict[str, int]
) -> None:
    stage.cloud.things.add_server(name, project=project, metadata=metadata)
    for volume, size in volumes.items():
        stage.ids[volume] = stage.cloud.things.add_volume(volume, server=name, size_gib=size)
