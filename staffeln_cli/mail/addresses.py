"""Which mail addresses are valid, and whether the mail settings fit together."""

import re
from email.utils import parseaddr

from staffeln_cli.config.settings import MailSettings
from staffeln_cli.model.text import is_host, quoted

_ATOM = r"[A-Za-z0-9!#$%&'*+/=^_`{|}~-]+"  # without the question mark of encoded words
_ADDRESS = re.compile(rf"{_ATOM}(\.{_ATOM})*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_LONGEST_ADDRESS = 254
_THIS_HOST = ("localhost", "127.0.0.1", "::1")


def is_address(text: str) -> bool:
    """Whether this is one plain ASCII address that any mail server accepts."""
    return len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def addresses(text: str | None) -> tuple[str, ...]:
    """The addresses of a setting with one or several, separated by commas."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def problems(settings: MailSettings) -> list[str]:
    """The mistakes in the combination of these settings; each may be valid by itself."""
    found = []
    if settings.sender is not None and not is_address(parseaddr(settings.sender)[1]):
        found.append(f"mail.sender: {settings.sender!r} is not an address")
    for key, given in (
        ("receivers", settings.receivers),
        ("operator", addresses(settings.operator)),
    ):
        found += [
            f"mail.{key}: {address!r} is not an address"
            for address in given
            if not is_address(address)
        ]
    if not is_host(settings.host):
        found.append(f"mail.host: {quoted(settings.host)} is not the name of a host")
    domain = settings.project_domain
    if domain is not None and not is_address(f"x@{domain}"):
        found.append(f"mail.project_domain: {domain!r} is not a domain")
    return found + _login_problems(settings)


def _login_problems(settings: MailSettings) -> list[str]:
    found = []
    if settings.password is not None and settings.password_file is not None:
        found.append("mail.password: give it or mail.password_file, not both")
    has_password = settings.password is not None or settings.password_file is not None
    if settings.user is not None and not has_password:
        found.append("mail.user: needs mail.password or mail.password_file")
    if settings.user is None and has_password:
        found.append("mail.password: needs mail.user")
    is_open = settings.security == "none" and settings.host not in _THIS_HOST
    if settings.user is not None and is_open:
        found.append(
            "mail.security: the password would go over the network in the clear;"
            " expected starttls or tls"
        )
    return found
