"""What one observation proves, what two prove, and what proves nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffeln_cli.model import ProjectId
from staffeln_cli.planning.evidence import (
    CLOCK_TOLERANCE,
    Answer,
    Belief,
    Confirmation,
    age_counts_from,
    belief,
    believed,
    clock_error,
    is_mass,
    is_whole_cloud,
    mass_limit,
)

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SETTLE = timedelta(minutes=10)
OLD = NOW - timedelta(days=3)
OWN, OTHER = ProjectId("own"), ProjectId("other")


def judged(
    answer: Answer, *, known_since: datetime = OLD, suspected_at: datetime | None = None
) -> Belief:
    return belief(
        answer, known_since=known_since, suspected_at=suspected_at, now=NOW, settle_time=SETTLE
    )


def test_what_is_absent_once_is_suspected() -> None:
    assert judged(Answer.ABSENT) is Belief.SUSPECTED


def test_what_is_absent_again_before_it_could_settle_stays_suspected() -> None:
    assert judged(Answer.ABSENT, suspected_at=NOW - SETTLE / 2) is Belief.SUSPECTED


def test_what_is_absent_again_a_settle_time_later_is_gone() -> None:
    assert judged(Answer.ABSENT, suspected_at=NOW - SETTLE) is Belief.GONE


def test_a_suspicion_that_lies_in_the_future_is_not_believed() -> None:
    assert judged(Answer.ABSENT, suspected_at=NOW + timedelta(days=30)) is Belief.SUSPECTED


@pytest.mark.parametrize("suspected_at", [None, OLD])
def test_an_unclear_answer_proves_nothing(suspected_at: datetime | None) -> None:
    assert judged(Answer.UNCLEAR, suspected_at=suspected_at) is Belief.UNPROVEN


@pytest.mark.parametrize("suspected_at", [None, OLD])
def test_what_is_there_was_never_gone(suspected_at: datetime | None) -> None:
    assert judged(Answer.PRESENT, suspected_at=suspected_at) is Belief.PRESENT


@pytest.mark.parametrize("suspected_at", [None, NOW - SETTLE])
def test_what_is_younger_than_the_settle_time_is_never_judged_absent(
    suspected_at: datetime | None,
) -> None:
    young = judged(Answer.ABSENT, known_since=NOW - SETTLE / 2, suspected_at=suspected_at)
    assert young is Belief.SUSPECTED


@pytest.mark.parametrize(
    ("is_given", "last_given_at", "suspected_at", "is_accepted"),
    [
        (True, None, None, True),
        (False, None, NOW, False),
        (False, NOW, None, False),
        (False, NOW, NOW, True),
        (False, NOW, NOW + SETTLE, False),
    ],
)
def test_a_confirmation_accepts_its_own_pass_and_what_was_suspected_by_then(
    is_given: bool,
    last_given_at: datetime | None,
    suspected_at: datetime | None,
    is_accepted: bool,
) -> None:
    assert Confirmation(is_given, last_given_at).accepts(suspected_at) is is_accepted


@pytest.mark.parametrize(
    ("changed", "known", "is_so"),
    [(20, 20, False), (21, 21, True), (21, 420, False), (22, 420, True), (5001, 100_000, True)],
)
def test_more_than_twenty_and_more_than_five_percent_is_a_mass(
    changed: int, known: int, is_so: bool
) -> None:
    assert is_mass(changed, known) is is_so


@given(st.integers(0, 10**7))
def test_the_limit_is_the_largest_number_that_is_no_mass(known: int) -> None:
    limit = mass_limit(known)
    assert (is_mass(limit, known), is_mass(limit + 1, known)) == (False, True)


@pytest.mark.parametrize(
    ("seen", "known", "is_whole"),
    [
        ({OWN, OTHER}, {OWN, OTHER}, True),
        ({OWN}, {OWN}, True),
        ({OWN}, set(), True),
        ({OWN}, {OWN, OTHER}, False),
        (set(), {OTHER}, False),
        ({OTHER}, {OTHER}, True),
    ],
)
def test_a_listing_of_the_own_project_alone_is_whole_only_if_no_other_is_known(
    seen: set[ProjectId], known: set[ProjectId], is_whole: bool
) -> None:
    assert is_whole_cloud(seen, OWN, known) is is_whole


def test_a_stored_moment_in_the_future_is_not_believed() -> None:
    assert believed(NOW + CLOCK_TOLERANCE * 2, NOW) is None
    assert believed(NOW + CLOCK_TOLERANCE, NOW) == NOW + CLOCK_TOLERANCE
    assert believed(None, NOW) is None


def test_age_counts_from_the_later_of_start_and_creation() -> None:
    assert age_counts_from(OLD, NOW) == age_counts_from(NOW, OLD) == NOW
    assert age_counts_from(None, OLD) == OLD


def test_clocks_that_differ_too_much_are_told_with_their_direction() -> None:
    assert clock_error(CLOCK_TOLERANCE) is clock_error(-CLOCK_TOLERANCE) is None
    assert clock_error(timedelta(hours=2, seconds=0.4)) == "2:00:00 ahead of"
    assert clock_error(-timedelta(days=1, seconds=1)) == "1 day, 0:00:01 behind"
