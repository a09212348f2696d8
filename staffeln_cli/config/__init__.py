"""File and environment in, frozen settings out, or every mistake at once."""

from staffeln_cli.config.load import Loaded, find_file, load
from staffeln_cli.config.settings import Settings

__all__ = ["Loaded", "Settings", "find_file", "load"]
