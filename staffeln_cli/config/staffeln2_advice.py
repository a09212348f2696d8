"""What to do about each option of Staffeln 2 that is not carried over."""

from collections.abc import Mapping
from typing import Any

_TLS = "the endpoint speaks HTTP; put a proxy with TLS in front of it, or use policy.unix_socket"
_PARALLEL = "one process works with many threads: see cloud.workers and backup.max_in_flight"
_FIXED = "decided by the program: 429, 413, 5xx and lost connections are retried, with jitter"
_DATABASE = (
    "Staffeln needs a database of its own: set database.url, run `staffeln db upgrade`, and take"
    " the backups over with `staffeln db import-staffeln URL`, where URL is this value"
)
_POOL = "there is nothing to set: each pass uses a few connections for a short time"
_PLACES = "there is nothing to set: all state is in the database"
_LOG = "see log.file and log.level, and the options --log-format and -v"
_LOCKS = "with PostgreSQL the locks are in the database; for other places see lock.url"

_ADVICE: Mapping[tuple[str, str], str] = {
    ("conductor", "backup_workers"): _PARALLEL,
    ("conductor", "rotation_workers"): _PARALLEL,
    ("openstack", "max_retry_interval"): _FIXED,
    ("openstack", "skip_retry_codes"): _FIXED,
    ("database", "connection"): _DATABASE,
    ("api", "enabled_ssl"): _TLS,
    ("api", "ssl_key_file"): _TLS,
    ("api", "ssl_cert_file"): _TLS,
    ("api", "ca_file"): _TLS,
    ("DEFAULT", "pybasedir"): _PLACES,
    ("DEFAULT", "bindir"): _PLACES,
    ("DEFAULT", "state_path"): _PLACES,
}
_PERIODS = {
    ("conductor", "backup_service_period"): "run",
    ("conductor", "retention_service_period"): "retain",
}
"""What cron starts now, instead of a process that waits."""
_BY_SECTION = {"database": _POOL, "DEFAULT": _LOG}
_UNKNOWN = "no option of Staffeln 2 that means something here; leave it out"


def advice_on(option: tuple[str, str], options: Mapping[Any, str]) -> str:
    """What to do instead of setting an option; never its value where that may be secret."""
    if option in _PERIODS:
        return _period(options[option], _PERIODS[option])
    if option == ("notification", "sender_pwd"):
        return _password(options.get(("notification", "sender_email")) or "NAME")
    if option == ("coordination", "backend_url"):
        return _lock(options[option])
    return _ADVICE.get(option) or _BY_SECTION.get(option[0], _UNKNOWN)


def _period(seconds: str, command: str) -> str:
    minutes = max(1, int(seconds) // 60) if seconds.isdecimal() else 15
    return (
        f"cron or a timer decides how often: `staffeln {command}` every {minutes} minutes would"
        " be the same; what is due is decided by backup.min_interval"
    )


def _password(user: str) -> str:
    return (
        "passwords are not copied: write it to a file that only the passes can read, and set"
        f' mail.user = "{user}" and mail.password_file'
    )


def _lock(url: str) -> str:
    if not url:
        return f'{_LOCKS}; the leases of Kubernetes, as before, are "kubernetes://NAMESPACE"'
    return f"{_LOCKS}, which knows file://, redis:// and kubernetes://"
