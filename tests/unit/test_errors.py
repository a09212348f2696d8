"""Errors are sorted by what the reader can do next; the exit code follows from that."""

import pytest

from staffeln_cli import errors

UNAVAILABLE = [
    errors.CloudUnavailable,
    errors.ListingIncomplete,
    errors.StoreUnavailable,
    errors.LockServiceUnavailable,
    errors.MailUnavailable,
    errors.ClockWrong,
    errors.LeadershipLost,
]


@pytest.mark.parametrize("error", UNAVAILABLE)
def test_what_the_next_run_may_reach_is_unavailable(error: type[errors.Unavailable]) -> None:
    assert error.exit_code == errors.Unavailable.exit_code == 69


@pytest.mark.parametrize("error", [errors.NotAdmin, errors.WrongCloud, errors.SchemaOutdated])
def test_what_the_operator_must_set_right_is_configuration(
    error: type[errors.ConfigError],
) -> None:
    assert error.exit_code == errors.ConfigError.exit_code == 78


def test_a_wrong_configuration_tells_every_mistake_on_a_line_of_its_own() -> None:
    error = errors.ConfigError(iter(["one", "two"]))
    assert error.problems == ("one", "two")
    assert str(error) == "one\ntwo"


def test_a_lock_that_another_run_holds_is_no_failure() -> None:
    assert errors.LockHeld("collect").exit_code == 0


@pytest.mark.parametrize(("number", "code"), [(2, 130), (15, 143)])
def test_a_signal_ends_a_run_as_shells_count_it(number: int, code: int) -> None:
    assert errors.Stopped(number).exit_code == code


def test_a_listing_of_one_project_says_that_nothing_was_taken_for_gone_and_what_to_do() -> None:
    usual = str(errors.NotWholeCloud("the listing shows one project"))
    assert usual.startswith("the listing shows one project; Cinder does not treat this login as")
    assert usual.endswith("nothing was taken for gone")
    other = str(errors.NotWholeCloud("the listing shows one project", "see Nova's policy"))
    assert other == (
        "the listing shows one project; see Nova's policy; nothing was taken for gone"
    )
