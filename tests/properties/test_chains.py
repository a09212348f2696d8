from random import Random

from hypothesis import given
from hypothesis import strategies as st

from staffeln_cli.planning.chains.members import Member
from staffeln_cli.planning.chains.summary import summary_of
from tests.properties.histories import histories


@given(histories(), st.randoms(use_true_random=False))
def test_the_summary_of_a_chain_is_the_same_in_any_order(
    members: list[Member], chance: Random
) -> None:
    def described(order: list[Member]) -> tuple[object, ...]:
        summary = summary_of(member.backup for member in order)
        return summary.full_id, summary.full_at, summary.incrementals, summary.all_available

    shuffled = members.copy()
    chance.shuffle(shuffled)
    newest_first = sorted(members, key=lambda m: m.backup.created_at, reverse=True)
    assert described(shuffled) == described(members) == described(newest_first)
