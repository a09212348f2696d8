"""Loads the file and the environment into frozen settings, or reports every mistake at once."""

from staffeln_cli.config.files import find_file
from staffeln_cli.config.load import Loaded, load
from staffeln_cli.config.settings import Settings

__all__ = ["Loaded", "Settings", "find_file", "load"]
