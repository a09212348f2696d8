"""The secret that authenticates catalog files."""

from staffeln_cli.config.settings import CatalogSettings
from staffeln_cli.errors import ConfigError


def key_of(settings: CatalogSettings) -> bytes | None:
    """The content of `catalog.key_file`, without white space at its ends; None without one."""
    if settings.key_file is None:
        return None
    try:
        key = settings.key_file.read_bytes().strip()
    except OSError as error:
        raise ConfigError(
            [f"catalog.key_file: {settings.key_file}: cannot be read: {error.strerror}"]
        ) from error
    if not key:
        raise ConfigError([f"catalog.key_file: {settings.key_file}: is empty"])
    return key
