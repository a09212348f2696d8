"""Promises written down are read back as they were."""

import pytest

from staffeln_cli.model.durations import parse
from staffeln_cli.planning.retention.keep_rules import RetentionTerms
from staffeln_cli.planning.retention.policy import Policy
from staffeln_cli.planning.retention.recorded_terms import read, written


@pytest.mark.parametrize(
    "terms",
    [
        RetentionTerms(policy=Policy(time=parse("1y2mon3d")), volume_exists=True, keep_last=1),
        RetentionTerms(policy=Policy(daily=7, weekly=4), volume_exists=True, keep_last=0),
        RetentionTerms(policy=Policy(last=3, time=parse("0s")), volume_exists=False, keep_last=0),
    ],
)
def test_written_terms_are_read_back_unchanged(terms: RetentionTerms) -> None:
    text = written(terms)
    assert text is not None
    assert read(text) == terms


def test_terms_that_nobody_knows_any_more_are_not_written() -> None:
    assert written(RetentionTerms(policy=None, volume_exists=True, keep_last=1)) is None
