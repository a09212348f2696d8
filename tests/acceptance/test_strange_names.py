"""Names and metadata are strangers' data: any of them, anywhere."""

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import a_volume, backed_up, records, volumes
from tests.build import MARKED
from tests.conftest import Staffeln

STRANGE = {
    "newlines": "one\ntwo\r\nthree",
    "quotes": """it's "quoted" `so`""",
    "html": "<script>alert(1)</script>&amp;",
    "markup": "[red]not red[/red] [/]",
    "long": "x" * 255,
    "emoji": "🦄" * 255,
    "halves": "half \ud83e of a name",
    "controls": "\x1b[31mred\x07\x00\x7f",
    "directions": "abc\u202egnp.exe",
    "sql": "'; DROP TABLE volumes; --",
    "percent": "100%s %(name)s {0}",
    "empty": "",
}
RETENTIONS = ["", "99999y", "30days", "🦄" * 255, " ", "-1d", "1d2y", "\x1b[31m", "nobody's"]


@pytest.mark.parametrize("kind", STRANGE)
def test_a_strange_name_is_backed_up_and_shown_like_any_other(
    cloud: SimCloud, staffeln_on_each: Staffeln, kind: str
) -> None:
    staffeln, name = staffeln_on_each, STRANGE[kind]
    project = cloud.people.add_project(f"p {name}"[:64])
    server = cloud.things.add_server(name, project=project, metadata=MARKED)
    volume = cloud.things.add_volume(name, project=project, server=server)
    assert backed_up(staffeln, cloud).counts["available"] == 1
    (backup,) = cloud.backups()
    assert len(backup["name"]) <= 255
    assert backup["name"].isprintable()
    assert len(records(staffeln)) == 1
    for command in (
        ["status", "backups"],
        ["explain", volume],
        ["collect", "--dry-run"],
        ["retain", "--dry-run"],
    ):
        shown = staffeln(*command)
        assert shown.exit_code == 0
        assert not {"\x1b", "\x07", "\x00", "\u202e"} & set(shown.stdout + shown.stderr)


@pytest.mark.parametrize("text", RETENTIONS)
def test_a_retention_that_makes_no_sense_stops_nothing_and_is_told(
    cloud: SimCloud, staffeln_on_each: Staffeln, text: str
) -> None:
    staffeln = staffeln_on_each
    volume = a_volume(cloud, metadata={**MARKED, "__staffeln_retention": text})
    assert backed_up(staffeln, cloud).counts["available"] == 1
    row = volumes(staffeln)[volume]
    assert row["retention"] in {None, "2w3d", "default"}
    assert row["bad_retention"]
    cloud.advance(days=16)
    assert staffeln("retain", "-f", "json").counts["kept"] == 1


def test_a_failure_of_a_strange_name_stays_on_one_line(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, STRANGE["newlines"] + STRANGE["controls"])
    staffeln("collect")
    cloud.faults.lose_reply_next("POST", "/backups", acting=False)
    answer = staffeln("backup")
    assert answer.exit_code == 3
    assert len(answer.stderr.splitlines()) == 1
    assert "\x1b" not in answer.stderr


def test_a_reason_of_cinders_stays_on_one_line(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    cloud.steering.fail_next_backup("boom\n\x1b[31mTraceback\x00")
    staffeln.cycle("collect", "backup")
    cloud.steering.finish_backups()
    answer = staffeln("check")
    assert answer.exit_code == 3
    assert len(answer.stderr.splitlines()) == 1
    assert "\x1b" not in answer.stderr


def test_a_mark_that_a_tenant_has_forged_stops_nothing(
    cloud: SimCloud, staffeln_on_each: Staffeln
) -> None:
    volume = a_volume(cloud)
    forged = {"staffeln:record": "\x00"}
    cloud.things.add_backup(volume, name="\x00", metadata=forged)
    cloud.advance(hours=1)
    assert [one.exit_code for one in staffeln_on_each.cycle("collect", "check", "retain")] == [
        0
    ] * 3
    assert len(cloud.backups()) == 1
