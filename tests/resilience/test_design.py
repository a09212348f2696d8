"""What docs/design.md draws and promises is what there is."""

import re
from pathlib import Path

from staffeln_cli.model import State
from staffeln_cli.model.lifecycle import NEXT

ROOT = Path(__file__).parents[2]
DESIGN = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")


def test_the_drawing_of_the_states_is_the_table_that_the_code_obeys() -> None:
    moves = re.findall(r"^ +(\w+) --> (\w+):", DESIGN, re.MULTILINE)
    drawn = {state: {State(new) for old, new in moves if old == state} for state in State}
    assert drawn == NEXT


def test_every_test_that_the_failure_story_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", DESIGN))
    files = (ROOT / "tests").rglob("test_*.py")
    written = {
        name
        for file in files
        for name in re.findall(
            r"^def (test_\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    assert len(named) > 20
    assert named - written == set()
