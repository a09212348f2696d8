"""Real mail servers in this process, certificates made for the occasion, things to report on."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from staffeln_cli.demo.simcloud import SimCloud
from tests.build import MARKED
from tests.conftest import Staffeln


@dataclass
class Mailbox:
    """What a mail server took, and what it is to refuse."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    refused_receivers: dict[str, str] = field(default_factory=dict)
    refused_sender: str | None = None
    answer: str = "250 taken"
    """To the message itself; a 250 keeps it."""
    on_letter: Callable[[], object] | None = None
    hangs: bool = False
    breaks_off: int = 0
    """So many messages end with a connection that breaks."""

    async def handle_MAIL(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.refused_sender:
            return self.refused_sender
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self.refused_receivers:
            return self.refused_receivers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
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


@dataclass(frozen=True)
class Certificate:
    """A certificate for 127.0.0.1 that signs itself, and its key."""

    file: Path
    key: Path

    def for_server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        return context


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return a_certificate(tmp_path_factory.mktemp("tls"), "127.0.0.1")


def a_certificate(folder: Path, address: str) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail server of the tests")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate = Certificate(folder / "cert.pem", folder / "key.pem")
    certificate.file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    certificate.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate


@contextmanager
def serving(**options: Any) -> Iterator[Mailbox]:
    """A mail server on 127.0.0.1; options as aiosmtpd's controller has them."""
    mailbox = Mailbox(port=free_port())
    if options.pop("login", False):
        options["authenticator"] = mailbox.authenticate
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port, **options)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop(no_assert=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server that takes everything."""
    with serving() as mailbox:
        yield mailbox


@pytest.fixture
def servers() -> Iterator[Callable[..., Mailbox]]:
    """Mail servers of all sorts: `servers(tls_context=…)`."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(serving(**options))


@pytest.fixture
def posting(staffeln: Staffeln, mailbox: Mailbox) -> Staffeln:
    """The command line, sending all reports through the mailbox to one address."""
    return send_through(staffeln, mailbox)


def send_through(staffeln: Staffeln, mailbox: Mailbox, **settings: str) -> Staffeln:
    staffeln.set(
        MAIL_SENDER="Staffeln <backup@example.org>",
        MAIL_RECEIVERS="ops@example.org",
        MAIL_HOST="127.0.0.1",
        MAIL_PORT=str(mailbox.port),
        MAIL_TIMEOUT="2s",
    )
    staffeln.set(**settings)
    return staffeln


def a_project(
    cloud: SimCloud,
    name: str = "shop",
    *,
    server: str = "web",
    volumes: tuple[str, ...] = ("data",),
) -> str:
    """A project with a marked server and its volumes."""
    project = cloud.add_project(name)
    on = cloud.add_server(server, project=project, metadata=MARKED)
    for volume in volumes:
        cloud.add_volume(volume, project=project, server=on, size_gib=2)
    return project


def back_up(cloud: SimCloud, staffeln: Staffeln) -> None:
    """One round of backups, all well."""
    staffeln.cycle("collect", "backup")
    cloud.finish_backups()
    staffeln.cycle("check")
