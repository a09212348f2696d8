"""The generated pages are those that `make docs` would write."""

import shutil
import subprocess
from pathlib import Path

import pytest

from docs.generate import FOLDER, pages

ADVICE = "run `make docs` and commit what it writes"


def test_the_generated_pages_are_up_to_date() -> None:
    outdated = [
        str(path.relative_to(FOLDER))
        for path, text in pages().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    assert outdated == [], ADVICE


def test_the_reference_has_no_page_of_a_command_that_does_not_exist() -> None:
    there = {*(FOLDER / "reference").glob("*.md"), *(FOLDER / "man").glob("*.1")}
    assert there - set(pages()) == set(), ADVICE


@pytest.mark.parametrize("page", sorted((FOLDER / "man").glob("*.1")), ids=lambda page: page.name)
def test_a_manual_page_is_set_without_complaints_and_loses_no_text(page: Path) -> None:
    if shutil.which("groff") is None:
        assert page.read_text().startswith('.\\" Generated')
        return
    command = ["groff", "-man", "-ww", "-Tutf8", "-Kutf8", "-P-cbou", str(page)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert printed.stderr == ""
    for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "SEE ALSO"):
        assert f"\n{heading}\n" in printed.stdout
    assert "\\" not in printed.stdout


def test_a_manual_page_has_what_the_help_has() -> None:
    texts = {path.name: text for path, text in pages().items()}
    assert "staffeln restore \\-\\-volume orders \\-\\-wait" in texts["staffeln-restore.1"]
    assert ".SS staffeln db upgrade" in texts["staffeln-db.1"]
    assert ".BR staffeln\\-collect (1)" in texts["staffeln.1"]


def test_the_reference_describes_each_command_and_the_configuration_each_key() -> None:
    texts = {path.name: text for path, text in pages().items()}
    assert "## staffeln db upgrade" in texts["db.md"]
    assert "| `--volume " in texts["restore.md"]
    assert "| `retention.keep_last` | `1` |" in texts["configuration.md"]
