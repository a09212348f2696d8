"""The demonstration's failures: an error, a lost response, a full quota, a typo."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from staffeln_cli.commands.status import views
from staffeln_cli.demo import stage as cast
from staffeln_cli.demo.screens import Asked, Beat, Chapter, Paragraph, Typed
from staffeln_cli.demo.simcloud import Request
from staffeln_cli.demo.stage import FIRST_NIGHT, Stage, seen
from staffeln_cli.render import table

_RETENTION = ("retention", "bad_retention")
DISK_FULL = "[Errno 28] No space left on device: '/backups/ledger'"


def bad_night(stage: Stage) -> Iterator[Beat]:
    stage.go_to(6, 22)
    yield Chapter(3, "A bad night", stage.cloud.now())
    yield Paragraph(
        "Three failures: Cinder creates a backup, but its response never arrives; the backup"
        " quota of analytics is used up; and a backup ends in error."
    )
    yield stage.ran("collect")
    _lose_the_answer_about_orders(stage)
    started = stage.run("backup")
    yield stage.ran("backup", started)
    _fill_the_disk(stage)
    stage.go_to(6, 23)
    checked = stage.run("check")
    yield stage.ran("check", checked)
    yield seen(
        (len(started.failures), checked.counts["failed"], checked.exit_code) == (2, 1, 3),
        "each failure is named with its reason, and the exit code tells cron",
    )
    yield seen(
        checked.counts["adopted"] == 1 and len(_since_ten(stage, "orders")) == 1,
        "the backup whose response was lost was found by its name, not made twice",
    )
    yield Paragraph("The operator raises the quota; the next run continues without further help:")
    yield Typed("operator", "openstack quota set --backup-gigabytes 100000 analytics")
    stage.cloud.people.set_quota("analytics", backup_gigabytes=100_000)
    stage.go_to(7, 0)
    yield stage.ran("collect")
    yield stage.ran("backup")
    stage.go_to(7, 1)
    yield stage.ran("check")
    yield seen(
        all(_since_ten(stage, name) for name in ("ledger", "cubes", "orders", "db-root"))
        and not stage.cloud.backups(status="error"),
        "every volume has its backup of that night; the failed backup is removed",
    )


def _lose_the_answer_about_orders(stage: Stage) -> None:
    cloud = stage.cloud

    def drop(request: Request) -> None:
        if request.method == "POST" and request.path.endswith("/backups"):
            if request.body["backup"]["volume_id"] != stage.ids["orders"]:
                return
            cloud.on_request = None
            cloud.faults.lose_reply_next("POST", "/backups", acting=True)

    cloud.on_request = drop


def _fill_the_disk(stage: Stage) -> None:
    found = stage.cloud.backups(status="creating", volume_id=stage.ids["ledger"])
    stage.cloud.steering.fail_backups(DISK_FULL, [one["id"] for one in found])


def _since_ten(stage: Stage, volume: str) -> list[dict[str, Any]]:
    start = FIRST_NIGHT.replace(day=6)
    backups = stage.cloud.backups(volume_id=stage.ids[volume], status="available")
    return [backup for backup in backups if backup["created_at"] >= start]


def typo(stage: Stage) -> Iterator[Beat]:
    for day in (7, 8, 9):
        stage.night(day)
    stage.go_to(10, 9)
    yield Chapter(4, "A typo", stage.cloud.now())
    yield Paragraph(
        "Backups are kept for 2w3d unless a server's metadata says otherwise. The server books"
        " had 5w, until someone changed it:"
    )
    yield Typed("payroll", "openstack server set --property __staffeln_retention=5weeks books")
    stage.cloud.things.set_metadata("books", cast.TYPO)
    stage.night(10)
    view = stage.view(views.volumes, server="books").of(_RETENTION)
    rows = list(view.rows)
    options = " ".join(f"-c {name}" for name in _RETENTION)
    yield Asked(
        f"status volumes --server books {options}",
        partial(table.show, view.columns, rows),
    )
    yield seen(
        rows == [("5w", "'5weeks'")],
        "the typo is reported, and the previous five weeks still hold",
    )
    yield Paragraph(
        "Eighteen quiet nights pass; retention runs on Sundays, and nothing has expired yet."
    )
