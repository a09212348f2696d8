"""What the shell completes: names and ids, from the database, safely and without slow imports."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from staffeln_cli.cli import staffeln
from staffeln_cli.cli.completion import NAMED, Named
from staffeln_cli.completion import MOST, NameKind, candidates
from staffeln_cli.model import Project, ProjectId
from staffeln_cli.store import Store
from tests.build import a_record, an_inventory_volume

EVIL = "$(touch /tmp/owned)"


@pytest.fixture
def filled(database_url: str) -> str:
    """A database in which one name of each kind begins with "shop"."""
    store = Store(database_url)
    store.inventory.save(
        [
            an_inventory_volume("v1", volume_name="shop-data", server_name="shop-web"),
            an_inventory_volume("v2", volume_name=EVIL, server_name="100% real"),
            an_inventory_volume("v3", volume_name="other", server_name="other"),
        ]
    )
    store.projects.save([Project(ProjectId("p1"), "shop", "default", enabled=True)])
    store.lifecycle.plan([a_record("v1")])
    store.close()
    return database_url


def offered(url: str, kind: NameKind, begun: str) -> list[str]:
    return [each.text for each in candidates(url, kind, begun)]


def test_names_that_begin_so_are_offered_with_their_ids(filled: str) -> None:
    (found,) = candidates(filled, NameKind.VOLUME, "sho")
    assert found == ("shop-data", "v1")
    assert offered(filled, NameKind.SERVER, "sho") == ["shop-web"]
    assert offered(filled, NameKind.PROJECT, "sho") == ["shop"]
    assert len(offered(filled, NameKind.BACKUP, "")) == 1, "a planned one has only a name"


def test_ids_that_begin_so_are_offered_where_no_name_does(filled: str) -> None:
    assert offered(filled, NameKind.VOLUME, "v") == ["v1", "v2", "v3"]


def test_a_name_that_a_shell_would_carry_out_is_never_offered(filled: str) -> None:
    assert offered(filled, NameKind.VOLUME, "$") == []
    assert EVIL not in offered(filled, NameKind.VOLUME, "")
    assert "v2" in offered(filled, NameKind.VOLUME, ""), "its id is"


@pytest.mark.parametrize("begun", ["100%", "_", "%", "\\", "'; DROP TABLE volumes; --"])
def test_what_was_typed_is_text_and_no_pattern(filled: str, begun: str) -> None:
    assert offered(filled, NameKind.VOLUME, begun) == []
    assert offered(filled, NameKind.VOLUME, "oth") == ["other"]


def test_not_more_is_offered_than_a_terminal_shows(database_url: str) -> None:
    store = Store(database_url)
    many = [an_inventory_volume(f"v{n}", volume_name=f"n{n}") for n in range(3 * MOST)]
    store.inventory.save(many)
    store.close()
    assert len(offered(database_url, NameKind.VOLUME, "")) == MOST


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////nowhere/at/all.db",
        "sqlite:",
        "postgresql://nobody@127.0.0.1:1/none",
        "mysql://x",
    ],
)
def test_a_database_that_is_not_there_completes_nothing_and_says_nothing(url: str) -> None:
    assert candidates(url, NameKind.VOLUME, "") == []


def test_a_database_without_a_schema_completes_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    assert candidates(f"sqlite:///{tmp_path / 'empty.db'}", NameKind.VOLUME, "") == []


def parameters(command: click.Command) -> list[click.Parameter]:
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return [*command.params, *(each for sub in below for each in parameters(sub))]


def test_every_parameter_that_names_something_is_completed() -> None:
    named = [each for each in parameters(staffeln) if (each.name or "").rstrip("s") in NAMED]
    assert len(named) > 10
    assert [each.name for each in named if not isinstance(each.type, Named)] == []


@pytest.fixture
def completed(tmp_path: Path) -> Callable[..., str]:
    """What a shell is told, by a process that could reach no cloud."""

    def ask(shell: str, words: str, **environ: str) -> str:
        answer = subprocess.run(
            [sys.executable, "-X", "importtime", Path(sys.executable).parent / "staffeln"],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "_STAFFELN_COMPLETE": f"{shell}_complete",
                "COMP_WORDS": words,
                "COMP_CWORD": str(len(words.split()) - 1),
                **environ,
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        loaded = {line.rpartition("|")[2].strip() for line in answer.stderr.splitlines()}
        assert not loaded & {"sqlalchemy", "openstack", "keystoneauth1", "requests", "rich"}
        assert all(line.startswith("import time:") for line in answer.stderr.splitlines())
        return answer.stdout

    return ask


@pytest.mark.parametrize("words", ["staffeln explain sho", "staffeln backup --volume sho"])
def test_each_shell_is_answered_from_the_database_alone(
    filled: str, completed: Callable[..., str], words: str
) -> None:
    environ = {"STAFFELN_DATABASE_URL": filled}
    assert completed("bash", words, **environ) == "plain,shop-data\n"
    assert completed("zsh", words, **environ).splitlines() == ["plain", "shop-data", "v1"]
    fish = completed("fish", words, **environ | {"COMP_CWORD": "sho"})
    assert fish == "plain,shop-data\tv1\n"


def test_the_database_of_the_named_configuration_is_asked(
    sqlite_url: str, completed: Callable[..., str], tmp_path: Path
) -> None:
    store = Store(sqlite_url)
    store.inventory.save([an_inventory_volume("v1", volume_name="elsewhere")])
    store.close()
    file = tmp_path / "my.toml"
    file.write_text(f'[database]\nurl = "{sqlite_url}"\n')
    assert "elsewhere" in completed("bash", f"staffeln --config {file} explain else")


def test_a_configuration_with_mistakes_completes_nothing_and_says_nothing(
    completed: Callable[..., str],
) -> None:
    assert completed("bash", "staffeln explain x", STAFFELN_NO_KEY="1").strip() == ""
