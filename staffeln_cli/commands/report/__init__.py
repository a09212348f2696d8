"""Reports: a digest for each project whose period is over, and one for the operator."""

from staffeln_cli.commands.report.preview import preview, try_mail
from staffeln_cli.commands.report.sending import run

__all__ = ["preview", "run", "try_mail"]
