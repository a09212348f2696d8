"""Parses lock.url; messages about mistakes never contain its password."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from staffeln_cli.errors import ConfigError
from staffeln_cli.model.redaction import masked_url
from staffeln_cli.model.text import is_host

EXPECTED = (
    "database, file:///folder, redis://[user:password@]host[:6379][/db],"
    " rediss://… (the same over TLS),"
    " redis+sentinel://[user:password@]host[:26379][,host…]/service[/db], rediss+sentinel://…"
    " or kubernetes://namespace"
)
TLS_OPTIONS = frozenset(
    {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname"}
)
SENTINEL_OPTIONS = frozenset({"sentinel_username", "sentinel_password"})
KUBERNETES_OPTIONS = frozenset({"context", "kubeconfig"})
NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
REDIS_PORT, SENTINEL_PORT = 6379, 26379


@dataclass(frozen=True, slots=True)
class FileUrl:
    """Locks that are files in one folder of this host."""

    folder: Path


@dataclass(frozen=True, slots=True)
class RedisLogin:
    """Credentials and TLS options of a Redis server; no repr shows the secrets."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    db: int = 0
    tls: bool = False
    tls_options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """Locks that are keys of one Redis server."""

    host: str
    port: int
    login: RedisLogin


@dataclass(frozen=True, slots=True)
class SentinelUrl:
    """Locks that are keys of the Redis server that the Sentinels name as master."""

    sentinels: tuple[tuple[str, int], ...]
    service: str
    login: RedisLogin
    sentinel_username: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class KubernetesUrl:
    """Locks that are Lease objects in a namespace; the other two matter outside a cluster."""

    namespace: str
    context: str | None = None
    kubeconfig: str | None = None


LockUrl = FileUrl | RedisUrl | SentinelUrl | KubernetesUrl


class _Malformed(Exception):
    """A mistake, as the end of a sentence that begins with the URL."""


def parse(url: str) -> LockUrl:
    """Take a lock.url apart, or raise ConfigError."""
    try:
        # A list of Sentinels is not a host and port, so urlsplit's own checks do not apply.
        parts = urlsplit(url)
        return _PARSERS.get(parts.scheme, _unknown)(parts)
    except (_Malformed, ValueError) as error:
        problem = str(error) if isinstance(error, _Malformed) else "is not a URL"
        shown = masked_url(url)
        raise ConfigError([f"lock.url: {shown!r} {problem}; expected {EXPECTED}"]) from None


def _unknown(parts: SplitResult) -> NoReturn:
    raise _Malformed(f"has the scheme {parts.scheme!r}" if parts.scheme else "has no scheme")


def _file(parts: SplitResult) -> FileUrl:
    _options(parts, frozenset())
    folder = Path(unquote(parts.path))
    if parts.netloc not in {"", "localhost"} or not folder.is_absolute():
        raise _Malformed("does not have three slashes and then the path of a folder")
    return FileUrl(folder)


def _redis(parts: SplitResult) -> RedisUrl:
    options = _options(parts, TLS_OPTIONS if parts.scheme == "rediss" else frozenset())
    ((host, port),) = _hosts(parts, REDIS_PORT, most=1)
    return RedisUrl(host, port, _login(parts, parts.path.strip("/"), options))


def _sentinel(parts: SplitResult) -> SentinelUrl:
    tls = TLS_OPTIONS if parts.scheme.startswith("rediss") else frozenset()
    options = _options(parts, tls | SENTINEL_OPTIONS)
    service, _, db = parts.path.strip("/").partition("/")
    if not service:
        raise _Malformed("does not name the service that the Sentinels watch")
    return SentinelUrl(
        _hosts(parts, SENTINEL_PORT),
        unquote(service),
        _login(parts, db, options),
        options.get("sentinel_username"),
        options.get("sentinel_password"),
    )


def _kubernetes(parts: SplitResult) -> KubernetesUrl:
    options = _options(parts, KUBERNETES_OPTIONS)
    if parts.path.strip("/") or not NAMESPACE.fullmatch(parts.netloc):
        raise _Malformed("does not name a namespace and nothing else")
    return KubernetesUrl(parts.netloc, options.get("context"), options.get("kubeconfig"))


def _options(parts: SplitResult, allowed: frozenset[str]) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.fragment or "#" in parts.geturl():
        raise _Malformed("has a '#': one in a password is written %23")
    if options.keys() - allowed:
        # Not named: after a "?" in a password, it would be the rest of the password.
        known = f"those there are: {', '.join(sorted(allowed))}" if allowed else "there are none"
        raise _Malformed(f"has an option that does not exist here ({known})")
    return options


def _hosts(
    parts: SplitResult, default_port: int, most: int | None = None
) -> tuple[tuple[str, int], ...]:
    hosts = []
    for address in parts.netloc.rpartition("@")[2].split(","):
        one = urlsplit(f"//{address}")
        if not one.hostname:
            raise _Malformed("does not name a host")
        if not is_host(one.hostname):
            raise _Malformed("has a name that no host can have")
        hosts.append((one.hostname, one.port or default_port))
    if most is not None and len(hosts) > most:
        raise _Malformed("names several hosts: only Sentinel URLs may")
    return tuple(hosts)


def _login(parts: SplitResult, db: str, options: dict[str, str]) -> RedisLogin:
    if db and not (db.isascii() and db.isdigit()):
        raise _Malformed("does not end in the number of a database")
    username, _, password = parts.netloc.rpartition("@")[0].partition(":")
    return RedisLogin(
        username=unquote(username) or None,
        password=unquote(password) or None,
        db=int(db or 0),
        tls=parts.scheme.startswith("rediss"),
        tls_options=tuple((key, value) for key, value in options.items() if key in TLS_OPTIONS),
    )


_PARSERS: dict[str, Callable[[SplitResult], LockUrl]] = {
    "file": _file,
    "redis": _redis,
    "rediss": _redis,
    "redis+sentinel": _sentinel,
    "rediss+sentinel": _sentinel,
    "kubernetes": _kubernetes,
}
