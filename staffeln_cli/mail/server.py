"""Sends messages through the mail server, and explains rejections in a sentence."""

import smtplib
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from staffeln_cli.config.files import read_secret
from staffeln_cli.config.settings import MailSettings
from staffeln_cli.errors import ConfigError, MailUnavailable, StaffelnError
from staffeln_cli.mail.addresses import problems
from staffeln_cli.model.text import first_line, one_line

_LONGEST_SUBJECT = 200
_USUAL_PORTS = {"none": 25, "starttls": 587, "tls": 465}
_CLOSING = 421
_TOO_LARGE = 552
"""SMTP's "closing the channel": the server ends the connection, not because of the message."""


class MessageRejected(StaffelnError):
    """The server did not take this one message; others may go."""

    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message with HTML and text."""

    receivers: Sequence[str]
    subject: str
    text: str
    html: str
    message_id: str
    """The part before the `@`: the same for the same letter, however often it is sent."""
    date: datetime


class MailServer:
    """The configured mail server; connects when there is something to send."""

    def __init__(self, settings: MailSettings) -> None:
        if found := problems(settings):
            raise ConfigError(found)
        if settings.sender is None:
            raise ConfigError(["mail.sender: is not set; without a sender no mail can be sent"])
        name, address = parseaddr(settings.sender)
        self._sender = Address(name, addr_spec=address)
        self._settings = settings
        self._port = settings.port or _USUAL_PORTS[settings.security]
        self._smtp: smtplib.SMTP | None = None
        self._lost = 0
        """Connections lost during a message since the last message that was accepted."""

    @property
    def shown(self) -> str:
        """The server as messages name it."""
        return f"mail server {self._settings.host}:{self._port}"

    def send(self, message: Message) -> Mapping[str, str]:
        """Hand a letter over; return the receivers that were refused, with the reasons.

        When this returns, the server has accepted the message for all the others.

        Raises MessageRejected when it refused this message, MailUnavailable when it accepts none.
        """
        email = self._message(message)
        for _ in range(2):
            try:
                return self._sent(email, message.receivers)
            except smtplib.SMTPSenderRefused as error:
                refusal = error
                self.close()
                if error.smtp_code == _TOO_LARGE:  # the answer to SIZE, of this message alone
                    raise MessageRejected(
                        f"refused by the {self.shown}: {explained(error)}"
                    ) from error
                if error.smtp_code != _CLOSING:
                    break
        raise MailUnavailable(f"{self.shown}: refuses the sender: {explained(refusal)}")

    def _sent(self, email: EmailMessage, receivers: Sequence[str]) -> Mapping[str, str]:
        smtp = self._ready()
        try:
            refused = smtp.send_message(email, self._sender.addr_spec, list(receivers))
        except smtplib.SMTPRecipientsRefused as error:
            reasons = {_said(*answer) for answer in error.recipients.values()}
            raise MessageRejected(
                f"refused by the {self.shown}: {'; '.join(sorted(reasons))}"
            ) from error
        except smtplib.SMTPSenderRefused:
            raise
        except (smtplib.SMTPDataError, smtplib.SMTPNotSupportedError) as error:
            raise MessageRejected(f"refused by the {self.shown}: {explained(error)}") from error
        except OSError as error:
            self.close()
            self._lost += 1
            if self._lost > 1:
                raise MailUnavailable(f"{self.shown}: {explained(error)}") from error
            raise MessageRejected(
                f"the {self.shown} closed the connection: {explained(error)}"
            ) from error
        self._lost = 0
        return {address: _said(*answer) for address, answer in refused.items()}

    def try_login(self) -> None:
        """Check that the server answers and accepts the login; MailUnavailable says why not."""
        self._ready()

    def close(self) -> None:
        """End the connection, if there is one."""
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        try:
            smtp.quit()
        except OSError:  # includes smtplib's errors; accepted messages stay accepted
            smtp.close()

    def _ready(self) -> smtplib.SMTP:
        """The connection, or a new one if the server closed it in the meantime."""
        if self._smtp is not None and not _is_alive(self._smtp):
            self._smtp.close()
            self._smtp = None
        if self._smtp is None:
            password = self._password()
            try:
                self._smtp = self._connected(password)
            except OSError as error:
                raise MailUnavailable(f"{self.shown}: {explained(error)}") from error
        return self._smtp

    def _connected(self, password: str) -> smtplib.SMTP:
        settings = self._settings
        where = (settings.host, self._port, socket.gethostname())
        timeout = settings.timeout.total_seconds()
        smtp: smtplib.SMTP
        if settings.security == "tls":
            smtp = smtplib.SMTP_SSL(*where, timeout=timeout, context=self._context())
        else:
            smtp = smtplib.SMTP(*where, timeout=timeout)
        try:
            if settings.security == "starttls":
                smtp.starttls(context=self._context())
            if settings.user is not None:
                smtp.login(settings.user, password)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _context(self) -> ssl.SSLContext:
        """Certificates are always checked."""
        file = self._settings.ca_file
        try:
            return ssl.create_default_context(cafile=file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError([f"mail.ca_file: {file}: {error.strerror or error}"]) from error

    def _password(self) -> str:
        file = self._settings.password_file
        if file is None:
            return _ascii("mail.password", self._settings.password or "")
        try:
            password = read_secret(file).decode().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise ConfigError([f"mail.password_file: {file}: cannot be read: {why}"]) from error
        return _ascii(f"mail.password_file: {file}", password)

    def _message(self, message: Message) -> EmailMessage:
        email = EmailMessage(policy=SMTP)
        email["From"] = self._sender
        email["To"] = [Address(addr_spec=address) for address in message.receivers]
        email["Subject"] = _header(message.subject)
        email["Date"] = format_datetime(message.date)
        email["Message-ID"] = f"<{message.message_id}@{self._sender.domain}>"
        email["Auto-Submitted"] = "auto-generated"  # prevents automatic replies
        email.set_content(message.text, cte="quoted-printable")
        email.add_alternative(message.html, subtype="html", cte="quoted-printable")
        return email


def explained(error: Exception) -> str:
    """What went wrong, briefly, on one line."""
    if isinstance(error, smtplib.SMTPResponseException):
        return _said(error.smtp_code, error.smtp_error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return first_line(text or error)


def _ascii(where: str, password: str) -> str:
    # cpython:Lib/smtplib.py:SMTP.auth_plain and auth_login encode it as ASCII.
    if not password.isascii():
        raise ConfigError(
            [f"{where}: the password has characters beyond ASCII, which SMTP logins cannot send"]
        )
    return password


def _is_alive(smtp: smtplib.SMTP) -> bool:
    try:
        return smtp.noop()[0] == 250
    except OSError:
        return False


def _said(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {one_line(words)}"


def _header(text: str) -> str:
    """One line without control characters, whatever strangers put into it."""
    # The email package decodes encoded words in what it is given, line breaks included.
    return one_line(text).replace("=?", "= ?")[:_LONGEST_SUBJECT]
