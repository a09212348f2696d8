"""Compares what Staffeln shows to other programs with recorded files.

The files in `tests/contract/recorded` are the contract with everybody who has scripts, dashboards
or queries that use Staffeln. A test fails when an output differs from its file. If the difference
is intended, record the outputs again, review the difference in version control, and describe it
in `docs/changelog.md`:

    STAFFELN_TEST_RECORD=1 python -m pytest tests/contract
"""

import difflib
import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "recorded"
RECORDS = os.environ.get("STAFFELN_TEST_RECORD") == "1"
ADVICE = """\
{file} differs from what Staffeln shows now. Other programs may depend on the recorded output.
If the difference is intended, record it again and describe it in docs/changelog.md:
    STAFFELN_TEST_RECORD=1 python -m pytest tests/contract
"""


def compare(name: str, now: str) -> None:
    """Fail with a unified diff if the text is not the recorded one; or record it, if asked to."""
    file = FOLDER / name
    if RECORDS:
        file.write_text(now, encoding="utf-8")
        return
    recorded = file.read_text(encoding="utf-8") if file.exists() else ""
    if recorded == now:
        return
    path = file.relative_to(Path(__file__).parents[2])
    difference = difflib.unified_diff(
        recorded.splitlines(), now.splitlines(), f"{path} (recorded)", "now", lineterm=""
    )
    pytest.fail(ADVICE.format(file=path) + "\n" + "\n".join(difference), pytrace=False)
