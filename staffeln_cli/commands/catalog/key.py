"""The secret that authenticates catalog files."""

from staffeln_cli.config.files import read_secret
from staffeln_cli.config.settings import CatalogSettings
from staffeln_cli.errors import ConfigError


def key_of(settings: CatalogSettings) -> bytes | None:
    """The content of `catalog.key_file`, without white space at its ends; None without one."""
    if settings.key_file is None:
        return None
    try:
        key = read_secret(settings.key_file).strip()
    except OSError as error:
        raise ConfigError(
            [f"catalog.key_file: {settings.key_file}: cannot be read: {error.strerror}"]
        ) from error
    if not key:
        raise ConfigError([f"catalog.key_file: {settings.key_file}: is empty"])
    return key
