"""Lock services as text, for scripts: a lock.url, or the URL of a database with leases."""

from staffeln_cli.store import Leases


def service_of(text: str) -> str | Leases:
    """What `held` is given for it."""
    is_database = text.startswith(("sqlite:", "postgresql"))
    return Leases(text) if is_database else text
