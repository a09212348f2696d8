"""Lookups for the policy endpoint: a few indexed reads that always end in time."""

from staffeln_cli.store.policy_lookup.lookup import PATIENCE, PolicyLookup

__all__ = ["PATIENCE", "PolicyLookup"]
