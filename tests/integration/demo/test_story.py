"""The demonstration tells its whole story, and each fact in it is checked."""

import os
import re

import pytest

from staffeln_cli.demo.stage import StoryFailed, seen
from tests.conftest import Staffeln

FACTS = """
    five of seven volumes are protected, and each has a full backup
    each backup belongs to its project, whose members can restore it themselves
    the next incremental of orders depends on the one made by hand
    each failure is named with its reason, and the exit code tells cron
    the backup whose response was lost was found by its name, not made twice
    every volume has its backup of that night; the failed backup is removed
    the typo is reported, and the previous five weeks still hold
    exactly the 24 backups of the plan are gone from Cinder
    in each chain the newest went first, and none while another depended on it
    the backup made by hand is kept, and so is everything that it depends on
    no backup of ledger is gone: its five weeks hold in spite of the typo
    it was restored to a new volume of the webshop; nothing was overwritten
    no volume is overdue after four weeks with many failures
"""
CALENDAR = """
    webshop    shop-web   web-root  ··· ··· ·█▄▄▄▄▄▄█▄▄▄▄▄▄█▄▄▄▄▄▄
               shop-db    db-root   ··· ··· ·█▄▄▄▄▄▄█▄▄▄▄▄▄█▄▄▄▄▄▄
                          orders    █▄▄◆··· █▄▄▄▄▄▄█▄▄▄▄▄▄█▄▄▄▄▄▄█
    payroll    books      ledger    █▄▄ ▄▄x▄▄█▄▄▄▄▄▄█▄▄▄▄▄▄█▄▄▄▄▄▄
    analytics  warehouse  cubes     ··· ··x··█▄▄▄▄▄▄█▄▄▄▄▄▄█▄▄▄▄▄▄
"""


pytestmark = pytest.mark.xdist_group("demo")
"""One process for both: the story is told once."""


@pytest.fixture(scope="module")
def told() -> str:
    """What it prints where nobody watches; it leaves nothing behind."""
    before = dict(os.environ)
    answer = Staffeln({}, None)("demo")
    assert (answer.exit_code, answer.stderr) == (0, ""), answer.stdout
    assert dict(os.environ) == before
    return answer.stdout


def test_the_demonstration_tells_the_whole_story(told: str) -> None:
    for fact in FACTS.strip().splitlines():
        assert f"✓ {fact.strip()}\n" in told, fact
    assert CALENDAR.strip("\n") in told
    for command in (
        "db upgrade",
        "collect",
        "backup",
        "check",
        "retain --dry-run",
        "retain",
        "restore --volume orders --at 2026-06-20T22:00",
    ):
        assert f"$ staffeln {command}\n" in told, command
    for said in ("VolumeBackupSizeExceedsAvailableQuota", "No space left on device", "adopted"):
        assert said in " ".join(told.split())


def test_the_verdicts_on_successive_backups_are_counted(told: str) -> None:
    for row in (
        "web-root  remove   7  1-7 June    expired: no retention rule keeps it",
        "orders    keep     3  1-3 June    a backup that is kept may depend on it",
        "ledger    keep    28  1-28 June   young enough",
    ):
        assert f"    {row}\n" in told


def test_the_demonstration_is_plain_text_where_it_is_no_terminal(told: str) -> None:
    assert "\x1b" not in told
    assert "\r" not in told
    assert re.search(r"[ \t]\n", told.partition("This morning")[0]) is None


def test_the_story_ends_where_a_fact_is_not_true() -> None:
    with pytest.raises(StoryFailed, match="this should be true and is not: it is restored"):
        seen(False, "it is restored")
