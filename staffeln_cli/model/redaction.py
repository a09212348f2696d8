"""Secrets in URLs: the URL as it may be shown, and any text without what is secret in a URL."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import quote, unquote

MASK = "***"
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:/*")
_OPTION = re.compile(r"([^=&?;]*(?:passw|secret|token)[^=&?;]*=)([^&]*)", re.IGNORECASE)
_NO_OPTION = re.compile(r"(?<=&)[^=&]+(?=&|$)")
"""What follows an `&` in a password that should have been written %26."""
_NO_PORT = re.compile(r"(\[[^\]]*\])|(?<=[^/:,@\[]):(?!//|\d{1,5}(?:[/,?#]|$)).*", re.DOTALL)
"""Without the `@` after it, a password looks like a port; an address in brackets is none."""
_NO_LOGIN = ("file:", "sqlite:")
_USER_FIRST = ("postgresql", "postgres", "mysql", "mariadb")
"""Where a login without a password is a user; elsewhere it may be a token."""
_DELIMITERS = re.compile(r"[@:/?#&=;,\[\]\\\s]+")
_LONG = 4
"""Characters from which on a piece of a secret is masked inside of words, too."""


class _Parts(NamedTuple):
    """A URL, taken apart at the last `@`: an earlier one may be part of the password."""

    scheme: str
    login: str
    rest: str

    @property
    def shown_login(self) -> str:
        """The user, without the password."""
        user, colon, _ = self.login.partition(":")
        if colon:
            return f"{user}:{MASK}@"
        if not user:
            return ""
        return f"{user}@" if self.scheme.startswith(_USER_FIRST) else f"{MASK}@"

    @property
    def shown_rest(self) -> str:
        """What follows the login, without what is secret there."""
        rest = self.rest
        if not self.scheme.startswith(_NO_LOGIN):
            rest = _NO_PORT.sub(lambda found: found[1] or f":{MASK}", rest)
        return _NO_OPTION.sub(MASK, _OPTION.sub(rf"\1{MASK}", rest))

    def secrets(self) -> Iterator[str]:
        """The password and whatever else only we should know."""
        user, _, password = self.login.partition(":")
        if secret := password or ("" if self.scheme.startswith(_USER_FIRST) else user):
            yield secret
        if not self.scheme.startswith(_NO_LOGIN):
            yield from (found[0] for found in _NO_PORT.finditer(self.rest) if not found[1])
        yield from (value for _, value in _OPTION.findall(self.rest))
        yield from _NO_OPTION.findall(self.rest)


def masked_url(url: str) -> str:
    """The URL without its secrets, however malformed it is: a password may hold any character."""
    parts = _taken_apart(url)
    return parts.scheme + parts.shown_login + parts.shown_rest


def without_secrets(text: str, *urls: str) -> str:
    """A text, such as a driver's message, in which the secrets of these URLs are masked.

    A driver takes a password with an `@` in it apart and shows the rest as a host. So the pieces
    of a secret are masked as well, in whatever way they are quoted.
    """
    return without(text, (secret for url in urls for secret in _taken_apart(url).secrets()))


def without(text: str, secrets: Iterable[str]) -> str:
    """A text in which these secrets, and the pieces of them, are masked."""
    forms = {form for secret in secrets for form in _forms(secret)}
    if not forms:
        return text
    patterns = map(_pattern, sorted(forms, key=len, reverse=True))
    return re.sub("|".join(patterns), MASK, text, flags=re.IGNORECASE)


def _taken_apart(url: str) -> _Parts:
    found = _SCHEME.match(url)
    scheme = found[0] if found else ""
    rest = url.removeprefix(scheme)
    if scheme.startswith(_NO_LOGIN):
        return _Parts(scheme, "", rest)
    login, _, rest = rest.rpartition("@")
    return _Parts(scheme, login, rest)


def _forms(secret: str) -> Iterator[str]:
    """A secret, and its pieces, as messages may spell them."""
    for piece in (secret, *_DELIMITERS.split(secret), *_DELIMITERS.split(unquote(secret))):
        encoded = quote(piece, safe="", errors="replace")
        forms = (piece, unquote(piece), encoded, repr(piece)[1:-1])
        yield from (form for form in forms if form.strip())


def _pattern(form: str) -> str:
    """Short pieces as whole words only: else few letters would be left of a message."""
    escaped = re.escape(form)
    return escaped if len(form) >= _LONG else rf"(?<![^\W_]){escaped}(?![^\W_])"
