"""Look-ups for the policy endpoint: one statement over indexes each, always over in time."""

from staffeln_cli.store.policy_lookup.pool import PATIENCE, PolicyLookup

__all__ = ["PATIENCE", "PolicyLookup"]
