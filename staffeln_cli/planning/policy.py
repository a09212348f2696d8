"""Retention policies: what a server's owner asks to be kept, and how metadata names one."""

from collections.abc import Mapping
from dataclasses import dataclass

from staffeln_cli.planning.durations import Duration, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is kept: everything younger than `time`, and the newest of each period counted.

    A backup is kept when any rule asks for it. Rules go from fine to coarse, each covering only
    periods that the finer ones do not.
    """

    last: int = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    time: Duration | None = None


def named(text: str, policies: Mapping[str, Policy]) -> Policy:
    """The policy that a metadata value asks for: a policy's name or a duration; else ValueError."""
    if text in policies:
        return policies[text]
    try:
        return Policy(time=parse(text))
    except ValueError as error:
        known = ", ".join(sorted(policies)) or "none configured"
        raise ValueError(f"{error}, nor the name of a policy ({known})") from None
