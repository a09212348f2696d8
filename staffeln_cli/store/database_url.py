"""database.url: the databases that it may name, and the options that their drivers know."""

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from staffeln_cli.errors import ConfigError
from staffeln_cli.model.text import is_host

_EXPECTED = "expected sqlite:////absolute/path or postgresql+psycopg://user:password@host/name"
_SQLITE_OPTIONS = frozenset(
    {"cached_statements", "check_same_thread", "detect_types", "isolation_level", "timeout"}
)


def parse(url: str) -> URL:
    """The URL, with the one driver that serves it; ConfigError says what is wrong with it."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError([f"database.url: is not a URL; {_EXPECTED}"]) from None
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "postgresql+psycopg"):
        raise ConfigError([f"database.url: {parsed.drivername}:// is not supported; {_EXPECTED}"])
    if parsed.drivername == "sqlite" and not parsed.database:
        raise ConfigError([f"database.url: names no file; {_EXPECTED}"])
    hosts = (parsed.host or "").split(",")
    if not all(is_host(host) for host in hosts if host and "/" not in host):  # else a socket's
        raise ConfigError([f"database.url: has a name that no host can have; {_EXPECTED}"])
    _refuse_unknown_options(parsed)
    return parsed


def _refuse_unknown_options(url: URL) -> None:
    if not url.query:
        return
    known = _SQLITE_OPTIONS if url.drivername == "sqlite" else _postgresql_options()
    if known and url.query.keys() - known:
        # Not named: after a "?" in a password, it would be the rest of the password.
        raise ConfigError(
            [
                f"database.url: has an option that does not exist for {url.drivername};"
                f" those there are: {', '.join(sorted(known))}"
            ]
        )


def _postgresql_options() -> frozenset[str]:
    """What libpq knows; nothing where the driver is not installed, which is said elsewhere."""
    try:
        from psycopg.pq import Conninfo
    except ImportError:
        return frozenset()
    return frozenset(option.keyword.decode() for option in Conninfo.get_defaults())
