"""Facts are frozen, however quickly they were made."""

from dataclasses import FrozenInstanceError, astuple

import pytest

from staffeln_cli.model import BackupId, RecordBrief, State, quickly
from tests.unit.planning.builders import NOW


def test_what_is_made_quickly_is_the_same_fact_and_as_frozen() -> None:
    slow = RecordBrief(BackupId("b1"), State.AVAILABLE, NOW, None, True, "a note")
    fast = quickly(RecordBrief)(*astuple(slow))
    assert type(fast) is RecordBrief
    assert fast == slow
    assert hash(fast) == hash(slow)
    with pytest.raises(FrozenInstanceError):
        fast.pinned = False  # type: ignore[misc]  # that is what is tested


def test_a_field_that_is_left_out_is_told_at_once() -> None:
    with pytest.raises(TypeError, match="missing"):
        quickly(RecordBrief)(BackupId("b1"), State.AVAILABLE)
