"""Staffeln: scheduled, chain-safe backups of OpenStack volumes through Cinder."""
