"""Decisions kept as JSON: the same ones come back, in the same order, and harm no terminal."""

import json
from collections.abc import Iterable

import pytest

from staffeln_cli.model import Decision
from staffeln_cli.render import terminal
from staffeln_cli.runtime.decisions import Decisions, dumped

HOSTILE = ["a\nb", "\x1b[31mred", 'q"uo\\te', "🚀", "\x9b1m", "\x7f", "abc\u202egnp", ""]


def some(names: Iterable[object]) -> list[Decision]:
    return [Decision("keep", "backup", f"id {name}", str(name), "a reason") for name in names]


@pytest.mark.parametrize("number", [0, 1, 999, 1000, 2500])
def test_what_was_added_comes_back_in_order_any_number_of_times(number: int) -> None:
    plan = Decisions(some(range(number)))
    assert len(plan) == number
    assert list(plan) == some(range(number)) == list(plan)


def test_one_that_is_added_after_a_look_is_there_at_the_next() -> None:
    plan = Decisions(some("ab"))
    assert len(list(plan)) == 2
    plan.add(some("c"))
    assert list(plan) == some("abc")
    assert some("c")[0] in plan
    assert some("d")[0] not in plan


def test_plans_that_are_joined_follow_one_another() -> None:
    first, second = Decisions(some("ab")), Decisions(some(range(1500)))
    first.join(second)
    first.join(Decisions())
    assert len(first) == 1502
    assert list(first) == [*some("ab"), *some(range(1500))]


@pytest.mark.parametrize("names", [[], HOSTILE, range(2500)])
def test_json_is_one_list_with_a_decision_to_a_line(names: Iterable[object]) -> None:
    decisions = some(names)
    for plan in (Decisions(decisions), tuple(decisions)):
        text = "".join(dumped(plan))
        assert [Decision(**one) for one in json.loads(text)] == decisions
        assert len(text.splitlines()) == 1 + len(decisions)
        assert not {"\x1b", "\x7f", "\x9b", "\u202e"} & set(text)


def test_text_for_other_programs_has_one_head_and_cuts_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal.decisions(some(["x" * 255, *range(1500)]))
    head, first, *others = capsys.readouterr().out.splitlines()
    assert head.split() == ["would", "what", "id", "why"]
    assert "x" * 255 in first
    assert len(others) == 1500
    assert others[-1].split() == ["keep", "1499", "id", "1499", "a", "reason"]


def test_no_decisions_are_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.decisions(Decisions())
    assert capsys.readouterr().out == ""


def test_a_stranger_s_name_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.decisions(some(HOSTILE))
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) == 1 + len(HOSTILE)
    assert shown.replace("\n", "").isprintable()
