"""`staffeln keep` and `staffeln release`."""

from typing import Any

import pytest

from staffeln_cli.model import State


def pinned(staffeln: Any) -> Any:
    return staffeln("status", "backups", "--pinned", "-f", "json").json


@pytest.mark.parametrize("name", ["record-b1", "cinder-b1", "b1"])
def test_a_backup_is_kept_by_record_id_by_cinder_id_and_by_name(
    staffeln: Any, past: Any, name: str
) -> None:
    past.backup("b1")
    assert staffeln("keep", name, "--note", "for the audit").exit_code == 0
    (one,) = pinned(staffeln)
    assert (one["name"], one["pin_note"]) == ("b1", "for the audit")
    assert "@" in one["pinned_by"]
    assert staffeln("release", name).exit_code == 0
    assert pinned(staffeln) == []


def test_keeping_twice_is_keeping_once_and_the_newer_note_holds(staffeln: Any, past: Any) -> None:
    past.backup("b1")
    for note in (("--note", "one"), ("--note", "two"), ()):
        assert staffeln("keep", "b1", *note).exit_code == 0
    assert [one["pin_note"] for one in pinned(staffeln)] == ["two"]


def test_releasing_twice_is_releasing_once(staffeln: Any, past: Any) -> None:
    past.backup("b1")
    assert staffeln("release", "b1").exit_code == 0
    assert staffeln("release", "b1").exit_code == 0


@pytest.mark.parametrize(
    "state", [State.PLANNED, State.FAILED, State.DELETING, State.DELETED, State.MISSING]
)
def test_what_is_not_there_cannot_be_kept(staffeln: Any, past: Any, state: State) -> None:
    past.backup("b1", state)
    answer = staffeln("keep", "b1")
    assert answer.exit_code == 2
    assert f"backup b1 is {state}: there is no backup" in answer.stderr
    assert pinned(staffeln) == []


@pytest.mark.parametrize("command", ["keep", "release"])
def test_an_unknown_backup_is_named(staffeln: Any, command: str) -> None:
    answer = staffeln(command, "nothing")
    assert answer.exit_code == 2
    assert "name 'nothing'; see: staffeln status backups" in answer.stderr
