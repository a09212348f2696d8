"""Retention terms as text, by which the next pass tells what changed since the last one."""

from staffeln_cli.model.durations import parse
from staffeln_cli.planning.retention.keep_rules import RetentionTerms
from staffeln_cli.planning.retention.policy import Policy

_GONE = "volume gone"


def written(terms: RetentionTerms) -> str | None:
    """`daily=7 time=1y keep_last=1`; None for a policy that is not known any more."""
    if terms.policy is None:
        return None
    floor = f"keep_last={terms.keep_last}" if terms.volume_exists else _GONE
    return f"{terms.policy.text} {floor}".strip()


def read(text: str) -> RetentionTerms:
    """The terms that `written` made a text of."""
    is_gone = text.endswith(_GONE)
    words = dict(word.split("=") for word in text.removesuffix(_GONE).split())
    keep_last = int(words.pop("keep_last", 0))
    time = parse(words.pop("time")) if "time" in words else None
    policy = Policy(time=time, **{name: int(count) for name, count in words.items()})
    return RetentionTerms(policy=policy, volume_exists=not is_gone, keep_last=keep_last)
