"""Chains of backups: which backup depends on which, and what that means for the next one."""
