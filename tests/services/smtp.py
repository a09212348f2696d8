"""Mail servers in this process: what they took, and how they fail."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.services.server import free_port


@dataclass
class Mailbox:
    """What a mail server took, and what it is to refuse."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    refused_receivers: dict[str, str] = field(default_factory=dict)
    refused_sender: str | None = None
    refused_sizes: str | None = None
    """To the first message that tells its size."""
    answer: str = "250 taken"
    """To the message itself; a 250 keeps it."""
    on_letter: Callable[[], object] | None = None
    hangs: bool = False
    breaks_off: int = 0
    """So many messages end with a connection that breaks."""

    async def handle_MAIL(  # noqa: N802 - aiosmtpd calls it so
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.refused_sender:
            return self.refused_sender
        if self.refused_sizes and any(one.upper().startswith("SIZE=") for one in options):
            refusal, self.refused_sizes = self.refused_sizes, None
            return refusal
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self.refused_receivers:
            return self.refused_receivers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd calls it so
        if self.hangs:
            await asyncio.sleep(3600)
        if self.breaks_off:
            self.breaks_off -= 1
            server.transport.abort()
            return "451 never heard"
        if self.answer.startswith("250"):
            letter = message_from_bytes(envelope.content, policy=default)
            assert isinstance(letter, EmailMessage)
            self.letters.append(letter)
            self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        if self.on_letter:
            self.on_letter()
        return self.answer

    def authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, given: Any
    ) -> AuthResult:
        user, password = given.login.decode(), given.password.decode()
        self.logins.append((user, password))
        return AuthResult(success=password == "right", handled=False)

    @property
    def subjects(self) -> list[str]:
        return [letter["Subject"] for letter in self.letters]

    @property
    def receivers(self) -> list[list[str]]:
        return [sorted(receivers) for _, receivers in self.envelopes]


def text_of(letter: EmailMessage) -> str:
    """The plain text of a letter."""
    return _part(letter, "plain")


def html_of(letter: EmailMessage) -> str:
    """The HTML of a letter."""
    return _part(letter, "html")


def _part(letter: EmailMessage, kind: str) -> str:
    body = letter.get_body((kind,))
    assert isinstance(body, EmailMessage)
    content = body.get_content()
    assert isinstance(content, str)
    return content


class _HangingUp(Controller):
    """A server that closes its connections before it stops; aiosmtpd leaves broken ones open."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._served: list[Any] = []
        super().__init__(*arguments, **options)

    def factory(self) -> Any:
        self._served.append(super().factory())  # type: ignore[no-untyped-call] # aiosmtpd has no types
        return self._served[-1]

    def stop(self, no_assert: bool = False) -> None:
        asyncio.run_coroutine_threadsafe(self._hang_up(), self.loop).result(5)
        super().stop(no_assert=no_assert)

    async def _hang_up(self) -> None:
        for connection in self._served:
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(0.01)  # the loop closes each socket in a step of its own


@contextmanager
def a_mail_server(**options: Any) -> Iterator[Mailbox]:
    """A mail server on 127.0.0.1; options as aiosmtpd's controller has them."""
    mailbox = Mailbox(port=free_port())
    if options.pop("login", False):
        options["authenticator"] = mailbox.authenticate
    controller = _HangingUp(mailbox, hostname="127.0.0.1", port=mailbox.port, **options)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop(no_assert=True)
