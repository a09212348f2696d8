"""Members and terms to test retention with."""

from datetime import datetime
from typing import Any

from staffeln_cli.model import Backup
from staffeln_cli.model.durations import parse
from staffeln_cli.planning.chains.members import Member
from staffeln_cli.planning.retention.keep_rules import RetentionTerms
from staffeln_cli.planning.retention.policy import Policy
from staffeln_cli.planning.retention.verdicts import Verdict, judge
from tests.build import NOW, a_backup, a_brief


def ours(backup: Backup, **record: Any) -> Member:
    return Member(backup, a_brief(backup, **record))


def foreign(backup: Backup) -> Member:
    return Member(backup)


def some_terms(
    time: str | None = "7d", *, keep_last: int = 0, volume_exists: bool = True, **counts: int
) -> RetentionTerms:
    policy = Policy(time=None if time is None else parse(time), **counts)
    return RetentionTerms(policy=policy, volume_exists=volume_exists, keep_last=keep_last)


def kept(members: list[Member], terms: RetentionTerms, now: datetime = NOW) -> set[str]:
    return {v.member.backup.id for v in judge(members, terms, now) if v.keep}


def verdict_on(name: str, members: list[Member], terms: RetentionTerms) -> Verdict:
    return next(v for v in judge(members, terms, NOW) if v.member.backup.id == name)


def a_chain(oldest: int, length: int, prefix: str = "") -> list[Member]:
    """Ours, one a day: a full `oldest` days old, then incrementals, each finished in an hour."""
    return [
        ours(
            a_backup(
                f"{prefix}{'i' if index else 'f'}{index}",
                days_old=oldest - index,
                incremental=index > 0,
                updated_days_old=oldest - index - 0.04,
            )
        )
        for index in range(length)
    ]
