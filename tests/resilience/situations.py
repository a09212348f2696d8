"""Situations in which much is under way, and what must be true once they are over."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import create_engine, text

from staffeln_cli.commands import backup, check, collect, report, retain, verify
from staffeln_cli.config import load
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import BackupRecord, Origin, Outcome, State
from staffeln_cli.model.lifecycle import UNFINISHED
from staffeln_cli.runtime import Runtime
from staffeln_cli.store import Store
from tests.build import MARKED

BEGIN = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)
PASSES: dict[str, Callable[[Runtime], Outcome]] = {
    "collect": collect.run,
    "backup": backup.run,
    "check": check.run,
    "retain": retain.run,
    "report": report.run,
    "verify": lambda runtime: verify.run(runtime, verify.VerifyRequest()),
}
CYCLE = ("collect", "backup", "check", "retain")
"""The passes that change something in Cinder or plan to; `report` only tells."""
SETTINGS = {
    "STAFFELN_BACKUP_FULL_BACKUP_DEPTH": "1",
    "STAFFELN_BACKUP_TIMEOUT": "12h",
    "STAFFELN_RETENTION_TIME": "2d",
    "STAFFELN_RETENTION_BRAKE": "1",
    "STAFFELN_CLOUD_REQUEST_TIMEOUT": "10s",
    "STAFFELN_CLOUD_RETRY_TIMEOUT": "5s",
    "STAFFELN_CLOUD_WORKERS": "2",
    "STAFFELN_RETENTION_TIME_BUDGET": "1s",
    "STAFFELN_VERIFY_COUNT": "2",
    "STAFFELN_VERIFY_BOOT": "tiny",
}


@dataclass
class HealthyHost:
    """A host on which nothing goes wrong, in this process."""

    runtime: Runtime

    def __call__(self, *commands: str) -> list[Outcome]:
        """Run passes one after the other, each with a login of its own."""
        outcomes = [self.try_pass(command) for command in commands]
        assert all(one.outcome in ("ok", "partial") for one in outcomes), outcomes
        return outcomes

    def try_pass(self, command: str) -> Outcome:
        """Run a pass, whatever its outcome."""
        outcome = PASSES[command](self.runtime)
        if "cloud" in self.runtime.__dict__:
            self.runtime.__dict__.pop("cloud").close()
        return outcome

    @property
    def store(self) -> Store:
        """The database that all hosts share."""
        return self.runtime.store

    def records(self) -> list[BackupRecord]:
        """All there are."""
        return self.store.records.in_states(set(State))


def a_healthy_host(
    environ: Mapping[str, str], clock: Callable[[], datetime] | None
) -> HealthyHost:
    """A host of its own."""
    ours = {key: value for key, value in environ.items() if key.startswith("STAFFELN_")}
    ours["STAFFELN_CLOUD_WORKERS"] = "1"  # so that every replay begins with the same state
    return HealthyHost(Runtime(load(None, ours).settings, clock=clock))


def two_projects(cloud: SimCloud, begin: datetime = BEGIN) -> dict[str, str]:
    """Two projects with seven volumes of protected servers."""
    cloud.freeze(begin)
    cloud.settings.finish_after = None
    volumes = {}
    for project, names in {"shop": "abc", "bank": "defg"}.items():
        cloud.people.add_project(project)
        cloud.things.add_server(f"{project}-server", project=project, metadata=MARKED)
        for name in names:
            volumes[name] = cloud.things.add_volume(
                name, project=project, server=f"{project}-server"
            )
    return volumes


def good_days(cloud: SimCloud, healthy: HealthyHost, days: int) -> None:
    """Days on which everything goes well."""
    for _ in range(days):
        healthy("collect", "backup")
        cloud.steering.finish_backups()
        healthy("check")
        cloud.advance(days=1)


def before_collect(cloud: SimCloud, healthy: HealthyHost, volumes: dict[str, str]) -> None:
    """New, gone, broken and unmarked volumes, and plans that lost their reason."""
    cloud.things.add_server("old", project="bank", metadata=MARKED)
    for name in "hi":
        volumes[name] = cloud.things.add_volume(name, server="old", project="bank")
    healthy("collect")
    cloud.things.set_metadata("old", {})
    cloud.things.remove_volume("i")
    cloud.things.add_volume("j", server="shop-server")
    cloud.things.set_volume("d", status="error")
    cloud.things.remove_volume("e")


def before_backup(cloud: SimCloud, healthy: HealthyHost, volumes: dict[str, str]) -> None:
    """Plans: fulls, incrementals, one without its parent, one for a volume that is gone."""
    cloud.things.add_volume("k", server="shop-server")
    healthy("collect")
    cloud.things.remove_volume("e")
    cloud.things.set_volume("f", status="attaching")
    for one in reversed(cloud.backups(volume_id=volumes["a"])):
        cloud.things.remove_backup(one["id"])


def before_check(cloud: SimCloud, healthy: HealthyHost, volumes: dict[str, str]) -> None:
    """Backups at every turn of their life, and deletions under way."""
    cloud.settings.delete_after = None
    healthy("retain", "collect")
    cloud.faults.lose_reply_next("POST", "/backups$", acting=True)
    cloud.faults.lose_reply_next("POST", "/backups$", acting=False)
    healthy("backup")
    creating = cloud.backups(status="creating")
    cloud.steering.stuck(creating[0]["id"])
    cloud.steering.fail_backups("the tape tore", [creating[1]["id"]])
    cloud.steering.finish_backups([one["id"] for one in creating[2:]])
    leaving = cloud.backups(status="deleting")
    cloud.steering.finish_deletions([one["id"] for one in leaving[1:]])
    cloud.steering.fail_deletions("the tape stuck", [leaving[0]["id"]], status="error_deleting")
    cloud.settings.delete_after = timedelta(0)
    parents = {one["parent_id"] for one in cloud.backups()}
    leaves = [one["id"] for one in cloud.backups(status="available") if one["id"] not in parents]
    cloud.things.remove_backup(leaves[-1])
    cloud.things.set_backup(leaves[0], status="error")
    cloud.advance(hours=13)


def before_retain(cloud: SimCloud, healthy: HealthyHost, volumes: dict[str, str]) -> None:
    """Chains of which some have expired; one has a manual backup on it."""
    cloud.things.add_backup(volumes["a"], incremental=True)
    cloud.things.remove_volume("e")
    healthy("collect")


def before_report(cloud: SimCloud, healthy: HealthyHost, volumes: dict[str, str]) -> None:
    """Successes, a failure, removals and a loss, of which nobody has been told."""
    healthy("collect", "backup")
    creating = [one["id"] for one in cloud.backups(status="creating")]
    cloud.steering.fail_backups("the tape tore", creating[:1])
    cloud.steering.finish_backups(creating[1:])
    parents = {one["parent_id"] for one in cloud.backups()}
    older = [one["id"] for one in cloud.backups() if one["id"] not in {*parents, *creating}]
    cloud.things.remove_backup(older[-1])
    healthy("check", "retain")


def before_verify(cloud: SimCloud, healthy: HealthyHost, volumes: dict[str, str]) -> None:
    """Chains of which some backups expire soon; of one volume a backup is planned."""
    cloud.settings.restore_pace = timedelta(0)
    for name in volumes:
        cloud.things.set_volume(name, bootable=True)
    healthy("collect")


SITUATIONS: dict[str, Callable[[SimCloud, HealthyHost, dict[str, str]], None]] = {
    "collect": before_collect,
    "backup": before_backup,
    "check": before_check,
    "retain": before_retain,
    "report": before_report,
    "verify": before_verify,
}
"""For each command, a situation in which it has much to do."""


def settle(cloud: SimCloud, healthy: HealthyHost) -> None:
    """What cron does in the next hours, with nothing in its way."""
    for hours in (1, 2, 4):
        cloud.advance(hours=hours)
        for one in cloud.volumes(status="attaching"):
            cloud.things.set_volume(one["id"], status="in-use")
        healthy("collect", "backup")
        cloud.steering.finish_backups()
        healthy("check", "retain")


Ending = dict[str, tuple[Counter[str], Counter[str]]]


def ending(cloud: SimCloud, healthy: HealthyHost) -> Ending:
    """For each volume: what Cinder has of it, and what became of the records.

    Of what kind a backup is may differ: where remains of a failure lie in the way for longer, the
    next one is a full.
    """
    in_cinder: dict[str, Counter[str]] = {}
    on_record: dict[str, Counter[str]] = {}
    for one in cloud.backups():
        in_cinder.setdefault(one["volume_id"], Counter())[one["status"]] += 1
    for record in healthy.records():
        on_record.setdefault(record.volume_id, Counter())[record.state] += 1
    return {
        volume: (in_cinder.get(volume, Counter()), on_record.get(volume, Counter()))
        for volume in in_cinder.keys() | on_record.keys()
    }


def violations(cloud: SimCloud, healthy: HealthyHost) -> list[str]:
    """What is wrong once nothing is under way any more."""
    records = healthy.records()
    there = {one["id"]: one for one in cloud.backups() if is_ours(one)}
    tracked = {one.backup_id for one in records if one.state is State.AVAILABLE}
    open_work = healthy.store.records.open_work()
    wrong = [f"Cinder has {one}, which nobody tracks" for one in there.keys() - tracked]
    wrong += [f"{one} is on record, but Cinder has it not" for one in tracked - there.keys()]
    wrong += [f"{one.name} is still {one.state}" for one in records if one.state in UNFINISHED]
    wrong += [f"{one.name} is still to be followed" for one in open_work]
    refused = [one for one in cloud.refused_deletes() if one.status == 400]
    wrong += [f"Cinder refused {one.method} {one.target}" for one in refused]
    wrong += stale_claims(healthy) + wrong_histories(healthy, records)
    names = Counter(one["name"] for one in there.values())
    wrong += [
        f"{number} backups are called {name}" for name, number in names.items() if number > 1
    ]
    return wrong


def left_of_drills(cloud: SimCloud, healthy: HealthyHost) -> list[str]:
    """What restore drills must not leave, hours later and without another `verify`."""
    things = [one["name"] for one in (*cloud.volumes(), *cloud.servers())]
    wrong = [f"{name} is left" for name in things if name.startswith("staffeln-drill-")]
    wrong += [f"a drill is still {one.state}" for one in healthy.store.drills.unfinished()]
    parents = Counter(one["parent_id"] for one in cloud.backups() if one["parent_id"])
    return wrong + [f"the chain forks at {one}" for one, number in parents.items() if number > 1]


def unreported(healthy: HealthyHost) -> list[str]:
    """What nobody is told of, although a day has passed."""
    healthy("report")
    wrong = []
    for project in healthy.store.reports.projects_to_report():
        if project.reported_at != healthy.runtime.now():
            wrong.append(f"{project.project_name} got no report")
        waiting = healthy.store.reports.unreported(project.project_id)
        wrong += [f"{project.project_name} was not told of {one.name}" for one in waiting]
    return wrong


def is_ours(one: Mapping[str, Any]) -> bool:
    """Whether a backup of the simulated cloud was made by Staffeln."""
    return "staffeln:record" in one["metadata"]


def stale_claims(healthy: HealthyHost) -> list[str]:
    """Claims that outlive their owner."""
    engine = create_engine(healthy.store.database.url)
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT name, claimed_by FROM backups WHERE claimed_by IS NOT NULL")
        ).all()
    engine.dispose()
    return [f"{name} is claimed by {owner}" for name, owner in rows]


def wrong_histories(healthy: HealthyHost, records: list[BackupRecord]) -> list[str]:
    """Volumes of which the inventory tells another story than the records."""
    wrong = []
    for volume in healthy.store.inventory.all_volumes():
        own = [one for one in records if one.volume_id == volume.volume_id and one.started_at]
        own = [one for one in own if one.origin is not Origin.ADOPTED]  # doubles are no history
        made = [one for one in own if one.backup_id is not None]
        good = [one for one in made if one.state not in (State.FAILED, State.CREATING)]
        good = [one for one in good if one.reason is None or one.state is State.MISSING]
        started = max((one.started_at for one in made if one.started_at), default=None)
        success = max((one.started_at for one in good if one.started_at), default=None)
        if volume.last_started_at != started:
            wrong.append(
                f"{volume.volume_name} started at {volume.last_started_at}, not {started}"
            )
        if volume.last_success_at is not None and success is None:
            wrong.append(f"{volume.volume_name} never succeeded")
        if success is not None and volume.last_success_at != success:
            wrong.append(f"{volume.volume_name} succeeded at {volume.last_success_at}: {success}")
    return wrong
