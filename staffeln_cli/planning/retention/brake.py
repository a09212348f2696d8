"""The brake: so many backups are not removed in one pass without the operator's word."""

_FEW = 50


def brake(removals: int, available: int, share: float) -> str | None:
    """Why the operator must confirm so many removals; None if they need not."""
    if removals <= _FEW or removals <= share * available:
        return None
    return f"would remove {removals} of {available} available backups, more than {share:.0%}"
