"""A name is understood in the same way in every command that takes one; `lookup` has the rules.

The options are found by walking the tree of commands, so that new ones are tried, too.
"""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from staffeln_cli.cli.completion import Named
from staffeln_cli.demo.simcloud import SimCloud
from tests.conftest import Staffeln
from tests.contract.commands import all_commands

NAMED = ("volume", "server", "project")
"""A backup's name is unique: it cannot be ambiguous."""
FURTHER = {
    ("pause",): ("--reason", "a test"),
    ("report",): ("--preview", "report.html"),
    ("catalog", "import"): ("--dry-run", "catalog.jsonl.gz"),
    ("backup",): ("--dry-run",),
    ("restore",): ("--dry-run",),
    ("verify",): ("--dry-run",),
}
"""What else a command needs."""
Spot = tuple[tuple[str, ...], str, str]


def naming() -> Iterator[Spot]:
    """Each command with a parameter that names something: its path, how it is given, the kind."""
    for path, command in all_commands():
        for parameter in command.params:
            if isinstance(parameter.type, Named) and parameter.type.kind in NAMED:
                option = "" if isinstance(parameter, click.Argument) else parameter.opts[0]
                yield path, option, parameter.type.kind


SPOTS = list(naming())
each = pytest.mark.parametrize(
    ("path", "option", "kind"), SPOTS, ids=[" ".join((*path, option)) for path, option, _ in SPOTS]
)


@pytest.fixture
def twins(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, list[str]]:
    """Two volumes, two servers and two projects of one name, by kind; all have been seen."""
    monkeypatch.chdir(tmp_path)
    projects = [
        cloud.people.add_project("twin"),
        cloud.people.add_project("twin", domain_id="other"),
    ]
    servers, volumes = [], []
    for project in projects:
        marked = {"__staffeln_backup": "true"}
        servers.append(cloud.things.add_server("twin", project=project, metadata=marked))
        volumes.append(cloud.things.add_volume("twin", project=project, server=servers[-1]))
    staffeln("collect")
    assert staffeln("catalog", "save", "catalog.jsonl.gz").exit_code == 0
    return {"project": projects, "server": servers, "volume": volumes}


def test_all_commands_that_name_something_are_found() -> None:
    assert {kind for _, _, kind in SPOTS} == set(NAMED)
    assert len(SPOTS) > len(FURTHER) + len(NAMED)


@each
def test_an_ambiguous_name_is_refused_and_its_candidates_are_listed_with_ids(
    staffeln: Staffeln, twins: dict[str, list[str]], path: tuple[str, ...], option: str, kind: str
) -> None:
    answer = staffeln(*path, *FURTHER.get(path, ()), *filter(None, [option]), "twin")
    assert answer.exit_code == 2
    assert f"2 {kind}s are named 'twin'; say which by its id:" in answer.stderr
    assert all(each in answer.stderr for each in twins[kind])


def test_evidence_is_of_one_project(staffeln: Staffeln, twins: dict[str, list[str]]) -> None:
    asked = ("report", "--evidence", "-f", "json", "--project")
    assert "2 projects are named 'twin'" in staffeln(*asked, "twin").stderr
    assert staffeln(*asked, twins["project"][0]).exit_code == 0
