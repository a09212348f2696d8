"""Evidence for auditors: what was promised, what was achieved, who decided what."""

import csv
import getpass
import io
import socket
from datetime import timedelta
from typing import Any

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import a_volume, rounds, sent
from tests.acceptance.drills import verify
from tests.build import MARKED
from tests.conftest import Staffeln

ME = f"{getpass.getuser()}@{socket.gethostname()}"
A_DAY = 86400


def evidence(staffeln: Staffeln, *options: str) -> Any:
    answer = staffeln("report", "--evidence", "-f", "json", *options)
    assert answer.exit_code == 0, answer.stderr
    return answer.json


def volume_of(found: Any, name: str) -> Any:
    (volume,) = [
        one for project in found["projects"] for one in project["volumes"]
        if one["volume_name"] == name
    ]  # fmt: skip
    return volume


def events_of(found: Any) -> list[tuple[str, str]]:
    events = [
        *found["events"],
        *(one for project in found["projects"] for one in project["events"]),
    ]
    return [(one["event"], one["item"]) for one in events]


def test_the_promised_and_the_achieved_interval_of_each_volume_are_told(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    cloud.freeze()
    a_volume(cloud, "kept")
    late = a_volume(cloud, "late", project="lab")
    rounds(staffeln, cloud, 3)
    cloud.things.set_volume(late, status="error")
    rounds(staffeln, cloud, 3)
    found = evidence(staffeln)
    kept, slipped = volume_of(found, "kept"), volume_of(found, "late")
    assert (kept["interval_s"], kept["backups"], kept["kept"]) == (A_DAY, 5, True)
    assert (kept["largest_gap_s"], kept["gap_95_s"]) == (A_DAY, A_DAY)
    assert (slipped["largest_gap_s"], slipped["kept"]) == (4 * A_DAY, False)
    assert [one["project_name"] for one in found["projects"]] == ["lab", "shop"]
    assert (found["volumes"], found["kept"]) == (2, 1)
    only = evidence(staffeln, "--project", "shop")
    assert [one["project_name"] for one in only["projects"]] == ["shop"]
    assert staffeln("report", "--evidence", "--project", "x").exit_code == 2


def test_the_proof_and_the_time_to_restore_a_volume_and_a_server_are_told(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, "data", size_gib=10)
    cloud.things.add_volume("logs", project="shop", server="data-server", size_gib=20)
    rounds(staffeln, cloud, 1)
    cloud.settings.restore_pace = timedelta(seconds=0.1)
    assert verify(staffeln).counts["passed"] == 2
    found = evidence(staffeln)
    data, logs = volume_of(found, "data"), volume_of(found, "logs")
    assert data["proof_level"] == "restored"
    assert data["proven_at"] is not None
    assert found["proven"] == found["protected"] == 2
    (server,) = found["projects"][0]["servers"]
    assert server["volumes"] == 2
    assert abs(server["recovery_s"] - data["recovery_s"] - logs["recovery_s"]) <= 2  # rounded
    assert 0 < data["recovery_s"] < logs["recovery_s"]


def test_pins_and_releases_pauses_and_confirmations_are_told_with_who_and_why(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, "data")
    rounds(staffeln, cloud, 2)
    first, second = (one["name"] for one in staffeln("status", "backups", "-f", "json").json)
    staffeln("keep", first, "--note", "the audit")
    staffeln("keep", second, "--note", "a mistake")
    staffeln("release", second)
    staffeln("pause", "--volume", "data", "--reason", "it moves")
    staffeln("resume", "--volume", "data")
    staffeln("retain", "--confirm")
    found = evidence(staffeln)
    assert volume_of(found, "data")["pins"] == [{"backup": first, "by": ME, "note": "the audit"}]
    (project,) = found["projects"]
    assert [(one["event"], one["item"], one["reason"]) for one in project["events"]] == [
        ("pinned", first, "the audit"),
        ("pinned", second, "a mistake"),
        ("released", second, "a mistake"),
        ("paused", "volume data", "it moves"),
        ("resumed", "volume data", None),
    ]
    assert {one["by"] for one in project["events"]} == {ME}
    assert ("confirmed", "staffeln retain --confirm") in events_of(found)


def test_a_pause_that_holds_is_told_although_it_began_before_the_period(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, "data")
    rounds(staffeln, cloud, 1)
    staffeln("pause", "--all", "--reason", "it <moves>")
    cloud.advance(days=1)
    found = evidence(staffeln, "--since", cloud.now().isoformat())
    (pause,) = found["paused"]
    assert (pause["scope"], pause["by"], pause["reason"]) == ("all", ME, "it <moves>")
    assert events_of(found) == []
    assert "it &lt;moves&gt;" in staffeln("report", "--evidence").stdout
    assert '"pause"' in staffeln("report", "--evidence", "-f", "csv").stdout


def test_changes_of_the_configuration_and_of_metadata_are_told(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, "data", metadata={**MARKED, "__staffeln_retention": "3w"})
    rounds(staffeln, cloud, 1)
    staffeln("retain")
    begin = cloud.now()
    cloud.advance(hours=1)
    assert events_of(evidence(staffeln, "--since", begin.isoformat())) == []
    staffeln.set(BACKUP_MIN_INTERVAL="12h")
    cloud.things.set_metadata("data-server", {**MARKED, "__staffeln_retention": "5w"})
    rounds(staffeln, cloud, 1)
    staffeln("retain")
    found = evidence(staffeln, "--since", begin.isoformat())
    (setting,) = found["events"]
    assert (setting["item"], setting["before"], setting["after"]) == (
        *("backup.min_interval", "1d", "12h"),
    )
    (longer,) = found["projects"][0]["events"]
    assert (longer["item"], longer["by"]) == ("data", "metadata of the server")
    assert ("time=3w" in longer["before"], "time=5w" in longer["after"]) == (True, True)


def test_volumes_that_are_gone_and_backups_that_were_lost_are_in_it(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud, "data")
    rounds(staffeln, cloud, 2)
    cloud.things.remove_backup(cloud.backups()[-1]["id"])
    for _ in range(2):
        staffeln("check")
        cloud.advance(minutes=11)
    cloud.things.remove_volume(volume)
    for _ in range(2):
        staffeln("collect")
        cloud.advance(minutes=11)
    data = volume_of(evidence(staffeln), "data")
    assert (data["protected"], data["lost"], data["available"]) == (False, 1, 1)


def test_it_is_made_of_the_state_alone_as_html_and_csv_too(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    cloud.freeze()
    a_volume(cloud, "<data>")
    rounds(staffeln, cloud, 2)
    staffeln("keep", staffeln("status", "backups", "-f", "json").json[0]["name"], "--note", "=1+1")
    cloud.requests.clear()
    page = staffeln("report", "--evidence").stdout
    assert page.startswith("<!DOCTYPE html>")
    assert "&lt;data&gt;" in page
    assert "<data>" not in page
    assert "Pinned:" in page
    rows = [*csv.DictReader(io.StringIO(staffeln("report", "--evidence", "-f", "csv").stdout))]
    assert {row["row"] for row in rows} == {"volume", "event"}
    (volume,) = [row for row in rows if row["row"] == "volume"]
    assert (volume["volume_name"], volume["largest_gap_s"]) == ("<data>", str(A_DAY))
    assert any(row["reason"] == "'=1+1" for row in rows)
    assert sent(cloud, "GET") == sent(cloud, "POST") == []


def test_options_that_do_not_go_together_are_refused(staffeln: Staffeln) -> None:
    for options in (
        ("--since", "2026-01-01"),
        ("--project", "x"),
        ("-f", "csv"),
        ("--evidence", "-f", "text"),
        ("--evidence", "--preview", "x.html"),
    ):
        assert staffeln("report", *options).exit_code == 2, options
