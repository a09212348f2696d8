"""docs/monitoring: dashboard, alerts and plugins use the metrics and options that there are."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import yaml

from staffeln_cli.cli import staffeln
from staffeln_cli.model import ProjectId, ProjectQuota
from staffeln_cli.planning.estimates import Work
from staffeln_cli.planning.health import LastRun, Summary, Tally
from staffeln_cli.planning.protection.windows import Opening
from staffeln_cli.render.monitoring import metrics
from tests.build import NOW
from tests.documents.pages import DOCS, read
from tests.documents.test_commands_and_exit_codes import parse

FOLDER = DOCS / "monitoring"
RULES = FOLDER / "staffeln.rules.yaml"
RULES_TEST = FOLDER / "staffeln.rules.test.yaml"
FULL = Summary(
    cloud="prod",
    generated_at=NOW,
    volumes=Tally(protected=1, oldest_success=NOW),
    backups={},
    runs={"collect": LastRun(NOW, "ok", "host1")},
    collected_at=NOW,
    is_stale=False,
    worst=(),
    work=Work(waiting=1, done_at=NOW, opening=Opening(NOW, NOW), last_start_at=NOW),
    quotas={ProjectId("p1"): ProjectQuota(10, 1, 10, 1, NOW, NOW + timedelta(days=1))},
)
"""A state of which every metric has a value."""


def emitted() -> dict[str, set[str]]:
    """The names of the metrics that `--prometheus` writes, with their labels."""
    found: dict[str, set[str]] = {}
    for line in metrics(FULL, "3").splitlines():
        if not line.startswith("#"):
            name, labels = re.fullmatch(r"(\w+)(?:\{(.*)\})? \S+", line, re.DOTALL).groups()  # type: ignore[union-attr]  # a line that does not match is a bug
            found.setdefault(name, set()).update(re.findall(r"(\w+)=", labels or ""))
    return found


def used(expression: str) -> set[str]:
    return set(re.findall(r"\bstaffeln_\w+", expression))


def alerts() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    return list(group["rules"])


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    return found


def queries() -> Iterator[str]:
    for panel in dashboard()["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    for variable in dashboard()["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["query"]


def test_the_alerts_use_only_metrics_that_there_are() -> None:
    for alert in alerts():
        assert used(alert["expr"]), alert["alert"]
        assert used(alert["expr"]) <= emitted().keys(), alert["alert"]


def test_the_dashboard_uses_only_metrics_that_there_are() -> None:
    for query in queries():
        assert used(query), query
        assert used(query) <= emitted().keys(), query


def test_labels_in_expressions_are_those_of_the_metric() -> None:
    known = emitted()
    for expression in [*queries(), *(alert["expr"] for alert in alerts())]:
        for name, labels in re.findall(r"\b(staffeln_\w+)\{([^}]*)\}", expression):
            names = set(re.findall(r"(\w+)=", labels.replace("=~", "=")))
            assert names <= known[name] | {"instance"}, expression
        for label in re.findall(r"by \((\w+)\)", expression):
            assert all(label in known[name] for name in used(expression)), expression


def test_each_alert_says_how_bad_it_is_and_what_to_do() -> None:
    for alert in alerts():
        assert alert["labels"]["severity"] in ("critical", "warning")
        assert alert["annotations"].keys() == {"summary", "description"}
        for label in re.findall(r"\$labels\.(\w+)", str(alert["annotations"])):
            assert all(label in emitted()[name] for name in used(alert["expr"]))


def test_commands_in_annotations_exist() -> None:
    for alert in alerts():
        for words in re.findall(r"`staffeln ([^`{]*)`", " ".join(alert["annotations"].values())):
            if not words.endswith("--prometheus"):
                parse(staffeln, shlex.split(words), "staffeln")


def test_each_alert_is_tested_and_explained() -> None:
    tests, page = RULES_TEST.read_text(), read("docs/monitoring/README.md")
    for alert in alerts():
        assert alert["alert"] in tests, alert["alert"]
        assert f"`{alert['alert']}`" in page, alert["alert"]
    named = set(re.findall(r"\bStaffeln[A-Z]\w+", tests + page))
    assert named == {alert["alert"] for alert in alerts()}


def test_the_tests_of_the_alerts_use_metrics_that_there_are() -> None:
    for test in yaml.safe_load(RULES_TEST.read_text())["tests"]:
        for series in test["input_series"]:
            assert used(series["series"]) <= emitted().keys()


def test_prometheus_finds_no_mistake_in_the_alerts() -> None:
    """By promtool where it is installed, otherwise by what can be known without it."""
    promtool = shutil.which("promtool")
    assert (mistakes_without_promtool() if promtool is None else mistakes(promtool)) == ""


def mistakes(promtool: str) -> str:
    for words in (["check", "rules", RULES.name], ["test", "rules", RULES_TEST.name]):
        done = subprocess.run(
            [promtool, *words], cwd=FOLDER, capture_output=True, text=True, check=False
        )
        if done.returncode:
            return done.stdout + done.stderr
    return ""


def mistakes_without_promtool() -> str:
    """The first alert that Prometheus would refuse to load."""
    names = [alert["alert"] for alert in alerts()]
    for alert in alerts():
        is_known = alert.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        lasting = re.fullmatch(r"\d+[smhdw]", alert.get("for", "0s"))
        is_closed = all(
            alert["expr"].count(pair[0]) == alert["expr"].count(pair[1])
            for pair in ("()", "{}", "[]")
        )
        if not (is_known and lasting and is_closed and names.count(alert["alert"]) == 1):
            return str(alert["alert"])
    return ""


def test_what_is_known_without_promtool_holds_with_it() -> None:
    assert mistakes_without_promtool() == ""


def test_panels_do_not_overlap_and_have_a_title() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {
            (column, row)
            for column in range(place["x"], place["x"] + place["w"])
            for row in range(place["y"], place["y"] + place["h"])
        }
        assert panel["title"]
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    ids = [panel["id"] for panel in dashboard()["panels"]]
    assert len(ids) == len(set(ids))


def test_the_plugins_are_called_with_options_that_there_are() -> None:
    nrpe = (FOLDER / "staffeln.nrpe.cfg").read_text()
    (line,) = re.findall(r"^command\[\w+\]=.*/bin/staffeln (.*)$", nrpe, re.MULTILINE)
    icinga = (FOLDER / "icinga2.conf").read_text()
    (called,) = re.findall(r"command = \[ (.*) \]", icinga)
    options = re.findall(r'"(--\w+)" = \{', icinga)
    words = [word.strip('"') for word in called.split(", ")]
    after = words[words.index("/opt/staffeln/bin/staffeln") + 1 :]
    assert options == ["--critical", "--warning"]
    for arguments in (
        shlex.split(line),
        [*after, *(word for one in options for word in (one, "1"))],
    ):
        parse(staffeln, arguments, "staffeln")
    (asked,) = re.findall(r"check_nrpe .* -c (\w+)", (FOLDER / "nagios.cfg").read_text())
    assert f"command[{asked}]=" in nrpe
