"""What the documents draw and promise about failures is what the code and the tests do."""

import re
from itertools import chain

import pytest

from staffeln_cli.model import DrillState, State
from staffeln_cli.model.drills import NEXT_DRILL_STATES
from staffeln_cli.model.lifecycle import NEXT
from staffeln_cli.store.lifecycle import Lifecycle
from tests.documents.pages import ROOT, read
from tests.integration.store.builders import arrows

WRITTEN = {
    name
    for file in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^ *def (test_\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE)
}


def table_rows(text: str, heading: str) -> list[str]:
    """The rows of the table below a heading, without its head."""
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("| ")][1:]


def drawn(heading: str) -> list[tuple[str, str]]:
    """The arrows of the drawing below a heading, but for where it ends."""
    section = read("docs/architecture.md").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^ +(\S+) --> (\S+):", section, re.MULTILINE)


def test_the_drawing_of_the_states_is_the_table_that_the_code_obeys() -> None:
    moves = [move for move in drawn("The life of a backup record") if "[*]" not in move]
    assert {s: {State(new) for old, new in moves if old == s} for s in State} == NEXT


def test_each_arrow_of_the_drawing_has_a_method() -> None:
    methods = [name for name in vars(Lifecycle) if not name.startswith("_")]
    expected = set(chain(*(arrows(method) for method in methods)))
    assert set(drawn("The life of a backup record")) == expected


def test_the_drawing_of_a_drill_is_the_table_that_the_code_obeys() -> None:
    moves = [move for move in drawn("The life of a restore drill") if "[*]" not in move]
    later = {s: {DrillState(new) for old, new in moves if old == s} for s in DrillState}
    assert later == NEXT_DRILL_STATES


def test_every_failure_that_is_described_has_a_test() -> None:
    rows = table_rows(read("docs/failure-modes.md"), "What can die")
    rows += table_rows(read("docs/failure-modes.md"), "What can lie")
    assert len(rows) > 60
    assert [row for row in rows if not re.search(r"`test_\w+`", row)] == []


@pytest.mark.parametrize("page", ["docs/failure-modes.md", "docs/architecture.md"])
def test_every_test_that_a_page_names_exists(page: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", read(page)))
    assert named - WRITTEN == set()
