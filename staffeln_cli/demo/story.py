"""The whole life cycle against a simulated cloud, as a story whose facts are checked."""

from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from functools import partial

from staffeln_cli.commands import db
from staffeln_cli.commands.status import summary as status
from staffeln_cli.commands.status import views
from staffeln_cli.demo.retention import retention
from staffeln_cli.demo.screens import Asked, Beat, Chapter, Opening, Paragraph, Ran, Typed
from staffeln_cli.demo.stage import FIRST_NIGHT, Stage, fill_cloud, seen, staged
from staffeln_cli.demo.trouble import bad_night, typo
from staffeln_cli.model import Outcome
from staffeln_cli.planning.health import findings
from staffeln_cli.render import summary, table


def tell(summarise: Callable[[Outcome], str]) -> Generator[Beat, None, None]:
    """Yield the story, beat by beat; however it ends, it leaves nothing behind.

    `summarise` puts an outcome into one line, as the command line does.
    """
    with staged(summarise) as stage:
        yield _opening()
        for chapter in (_first_night, _what_changed, bad_night, typo, retention, _today):
            yield from chapter(stage)


def _opening() -> Beat:
    return Opening(
        "Staffeln: four weeks of backups in under a minute",
        "A simulated OpenStack (Keystone, Nova, Cinder) listens on 127.0.0.1. Each $ staffeln"
        " below is the real command and sends real HTTP requests through openstacksdk. Only the"
        " days pass faster. Every line with a tick was checked before it is shown.",
    )


def _first_night(stage: Stage) -> Iterator[Beat]:
    fill_cloud(stage)
    yield Chapter(1, "The first night: full backups", FIRST_NIGHT)
    yield Paragraph(
        "Three of four projects have marked servers; one of their volumes is left out:"
    )
    yield Typed("webshop", "openstack server set --property __staffeln_backup=true shop-db")
    yield Typed("analytics", "openstack volume set --property skip-volume-backup=true scratch")
    yield _database(stage)
    collected = stage.run("collect")
    yield stage.ran("collect", collected)
    yield stage.ran("backup")
    yield Paragraph("Cinder copies in the background; no command waits for it. An hour later:")
    stage.go_to(1, 23)
    yield stage.ran("check")
    fulls = stage.cloud.backups(status="available", is_incremental=False)
    owners = {volume["id"]: volume["project_id"] for volume in stage.cloud.volumes()}
    yield seen(
        (collected.counts["protected"], collected.counts["skipped"], len(fulls)) == (5, 1, 5),
        "five of seven volumes are protected, and each has a full backup",
    )
    yield seen(
        all(full["project_id"] == owners[full["volume_id"]] for full in fulls),
        "each backup belongs to its project, whose members can restore it themselves",
    )


def _database(stage: Stage) -> Beat:
    before, after = stage.with_runtime(db.upgrade)
    return Ran("db upgrade", f"schema: {before or 'none'} -> {after}")


def _what_changed(stage: Stage) -> Iterator[Beat]:
    stage.night(2)
    stage.night(3)
    stage.go_to(4, 12)
    yield Chapter(2, "The following nights: only what changed", stage.cloud.now())
    yield Paragraph(
        "Cron runs the same commands every night; six incrementals follow each full backup. Then"
        " the webshop's admin makes a backup by hand, and Cinder adds it to the same chain:"
    )
    yield Typed("webshop", "openstack volume backup create --force --incremental orders")
    by_hand = stage.cloud.things.add_backup("orders", incremental=True, name="by-hand")
    stage.night(4)
    stage.night(5)
    yield stage.calendar()
    children = stage.cloud.backups(parent_id=by_hand)
    yield seen(
        len(children) == 1 and bool(children[0]["metadata"]),
        "the next incremental of orders depends on the one made by hand",
    )


def _brought_back(stage: Stage) -> Iterator[Beat]:
    # It imports openstacksdk, which must not be before the stage has lent it another cache folder.
    from staffeln_cli.commands import restore

    yield Paragraph("A restore: the volume orders, as it was on the evening of 20 June:")
    wish = restore.RestoreRequest(
        volumes=[stage.ids["orders"]], at=datetime(2026, 6, 20, 22, tzinfo=UTC)
    )
    outcome = stage.with_runtime(partial(restore.run, request=wish))
    yield stage.ran("restore --volume orders --at 2026-06-20T22:00", outcome)
    stage.cloud.steering.finish_restores()
    made = [
        volume for volume in stage.cloud.volumes() if volume["name"].startswith("orders_restored_")
    ]
    owner = stage.cloud.world.project("webshop").id
    yield seen(
        [(one["project_id"], one["status"]) for one in made] == [(owner, "available")],
        "it was restored to a new volume of the webshop; nothing was overwritten",
    )


def _today(stage: Stage) -> Iterator[Beat]:
    stage.go_to(29, 9)
    yield Chapter(6, "This morning", stage.cloud.now())
    state = stage.with_runtime(status.summary)
    yield Asked("status", partial(summary.show, state, findings(state)))
    view = stage.view(views.projects).of(table.usual_columns("projects"))
    yield Asked("status projects", partial(table.show, view.columns, list(view.rows)))
    yield seen(
        (state.volumes.protected, state.volumes.overdue, state.volumes.never) == (5, 0, 0),
        "no volume is overdue after four weeks with many failures",
    )
    yield from _brought_back(stage)
    yield seen(
        stage.cloud.refused_deletes() == [],
        f"{len(stage.cloud.requests):,} requests were sent, and Cinder refused no deletion",
    )
    yield Paragraph(
        "All of this was simulated, and nothing is left behind. For a real cloud, the README"
        " continues with clouds.yaml, roles, `staffeln config init` and a crontab."
    )
