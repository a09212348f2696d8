"""The messages that the documents explain are messages of the program."""

import ast
import re

import pytest

from tests.documents.pages import ROOT, read
from tests.documents.test_failure_modes import table_rows

TEXTS = [
    node.value
    for file in (ROOT / "staffeln_cli").rglob("*.py")
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    if isinstance(node, ast.Constant) and isinstance(node.value, str)
]
FROM_CINDER = {"VolumeBackupSizeExceedsAvailableQuota", "BackupLimitExceeded"}


def messages() -> list[str]:
    """What the operator sees, from the first column of the table; … stands for what varies."""
    rows = table_rows(read("docs/operating.md"), "What to do when")
    quoted = {text for row in rows for text in re.findall(r"`([^`]+)`", row.split(" | ")[0])}
    return sorted(quoted - FROM_CINDER)


@pytest.mark.parametrize("message", messages())
def test_a_message_that_is_explained_is_one_that_the_program_has(message: str) -> None:
    parts = [part for part in re.split(r" ?… ?", message) if part]
    assert [part for part in parts if not any(part in text for text in TEXTS)] == []


def test_there_are_messages_to_look_for() -> None:
    assert len(messages()) > 5
