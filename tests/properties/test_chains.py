from random import Random

from hypothesis import given
from hypothesis import strategies as st

from staffeln_cli.planning.chains.summary import ChainSummary, chains_of, may_depend_on
from staffeln_cli.planning.retention.verdicts import Member
from tests.properties.histories import histories


@given(histories(), st.randoms(use_true_random=False))
def test_a_digest_does_not_depend_on_the_order(members: list[Member], chance: Random) -> None:
    def told(order: list[Member]) -> tuple[object, ...]:
        digest = ChainSummary()
        for member in order:
            digest.add(member.backup)
        return digest.full_id, digest.full_at, digest.incrementals, digest.all_available

    shuffled = members.copy()
    chance.shuffle(shuffled)
    newest_first = sorted(members, key=lambda m: m.backup.created_at, reverse=True)
    assert told(shuffled) == told(members) == told(newest_first)


@given(histories())
def test_every_backup_is_in_one_chain_and_each_chain_has_at_most_one_full(
    members: list[Member],
) -> None:
    chains = chains_of(member.backup for member in members)
    names = [backup.id for chain in chains for backup in chain.backups]
    assert sorted(names) == sorted(member.backup.id for member in members)
    for chain in chains:
        assert sum(not backup.is_incremental for backup in chain.backups) <= 1


@given(histories())
def test_a_chain_is_of_those_that_may_stand_on_its_full(members: list[Member]) -> None:
    backups = [member.backup for member in members]
    for chain in chains_of(backups):
        if chain.full is not None:
            for backup in chain.backups:
                below = may_depend_on(backup.id, backups)
                assert backup is chain.full or chain.full.id in below
