"""Lookups for the policy endpoint: a few indexed reads that always end in time."""

from staffeln_cli.store.policy_lookup.lookup import TIMEOUT, PolicyLookup

__all__ = ["TIMEOUT", "PolicyLookup"]
