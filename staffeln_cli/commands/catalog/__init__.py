"""The catalog: a file that brings backups back after Cinder's or our own database is lost."""

from staffeln_cli.commands.catalog.save import is_due, save_daily

__all__ = ["is_due", "save_daily"]
