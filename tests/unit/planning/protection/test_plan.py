"""Whether the newest chain is whole, by what our own records know."""

from datetime import UTC, datetime, timedelta

from staffeln_cli.planning.chains.summary import ChainSummary
from staffeln_cli.planning.protection.plan import broken
from tests.unit.planning.builders import a_backup

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def _digest() -> ChainSummary:
    digest = ChainSummary()
    digest.add(a_backup(days_old=3))
    return digest


def test_a_chain_that_lost_a_member_to_somebody_else_is_broken() -> None:
    full_at = _digest().full_at
    assert full_at is not None
    assert broken(_digest(), full_at + timedelta(days=1)) is not None


def test_what_went_missing_before_the_newest_full_breaks_nothing() -> None:
    full_at = _digest().full_at
    assert full_at is not None
    assert broken(_digest(), full_at - timedelta(days=1)) is None


def test_without_a_chain_or_a_loss_nothing_is_broken() -> None:
    assert broken(None, NOW) is None
    assert broken(_digest(), None) is None
