"""Mail servers to send reports through, and projects to report on."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.build import MARKED
from tests.conftest import Staffeln
from tests.services.certificates import a_certificate
from tests.services.smtp import Mailbox, a_mail_server


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, and its key."""
    return a_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server that takes everything."""
    with a_mail_server() as mailbox:
        yield mailbox


@pytest.fixture
def servers() -> Iterator[Callable[..., Mailbox]]:
    """Mail servers of all sorts: `servers(tls_context=…)`."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(a_mail_server(**options))


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
    project = cloud.people.add_project(name)
    on = cloud.things.add_server(server, project=project, metadata=MARKED)
    for volume in volumes:
        cloud.things.add_volume(volume, project=project, server=on, size_gib=2)
    return project


def back_up(cloud: SimCloud, staffeln: Staffeln) -> None:
    """One round of backups, all well."""
    staffeln.cycle("collect", "backup")
    cloud.steering.finish_backups()
    staffeln.cycle("check")
