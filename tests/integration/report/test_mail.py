"""Mail servers as they are: with TLS and without, with logins, refusing, hanging, breaking off."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import ConfigError
from tests.conftest import Staffeln
from tests.integration.report.conftest import a_project, back_up, send_through
from tests.services.certificates import a_certificate, for_server
from tests.services.server import free_port
from tests.services.smtp import Mailbox, html_of, text_of

Servers = Callable[..., Mailbox]


@pytest.fixture
def news(cloud: SimCloud, staffeln: Staffeln) -> Staffeln:
    """A project that there is something to report on."""
    a_project(cloud)
    back_up(cloud, staffeln)
    return staffeln


def test_a_letter_says_the_same_in_html_and_in_plain_text(
    news: Staffeln, mailbox: Mailbox
) -> None:
    send_through(news, mailbox)("report")
    (letter,) = mailbox.letters
    assert letter["From"] == "Staffeln <backup@example.org>"
    assert letter["To"] == "ops@example.org"
    assert letter["Subject"] == "[Staffeln] shop: 1 volume protected"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"].endswith("@example.org>")
    for text in (text_of(letter), html_of(letter)):
        assert "The one volume is protected" in text
        assert "2 of 1,000 GiB" in text
        assert "full, 2 GiB" in text


def test_starttls_and_tls_check_the_certificate_and_encrypt(
    news: Staffeln, servers: Servers, certificate: Path
) -> None:
    for security, options in (
        ("starttls", {"tls_context": for_server(certificate), "require_starttls": True}),
        ("tls", {"ssl_context": for_server(certificate)}),
    ):
        mailbox = servers(**options)
        send_through(news, mailbox, MAIL_SECURITY=security)
        untrusted = news("report", "-f", "json")
        assert untrusted.exit_code == 69
        assert "certificate is not trusted: self-signed" in untrusted.stderr
        news.set(MAIL_CA_FILE=str(certificate))
        assert news("report", "--test-mail", "me@example.org").exit_code == 0
        assert mailbox.receivers == [["me@example.org"]]
        news.environ.pop("STAFFELN_MAIL_CA_FILE")


def test_a_certificate_for_another_host_is_not_trusted(
    news: Staffeln, servers: Servers, tmp_path: Path
) -> None:
    certificate = a_certificate(tmp_path, "192.0.2.1")
    mailbox = servers(tls_context=for_server(certificate))
    send_through(news, mailbox, MAIL_SECURITY="starttls", MAIL_CA_FILE=str(certificate))
    answer = news("report", "-f", "json")
    assert answer.exit_code == 69
    assert "not valid for '127.0.0.1'" in answer.stderr
    assert mailbox.letters == []


def test_starttls_is_never_given_up_for_plain_text(news: Staffeln, mailbox: Mailbox) -> None:
    send_through(news, mailbox, MAIL_SECURITY="starttls")
    answer = news("report", "-f", "json")
    assert answer.exit_code == 69
    assert "STARTTLS extension not supported" in answer.stderr
    assert mailbox.letters == []


def test_it_logs_in_only_when_told_to_and_keeps_the_password_to_itself(
    news: Staffeln, servers: Servers, certificate: Path, tmp_path: Path
) -> None:
    mailbox = servers(tls_context=for_server(certificate), login=True, auth_required=True)
    send_through(news, mailbox, MAIL_SECURITY="starttls", MAIL_CA_FILE=str(certificate))
    nobody = news("report", "-f", "json")
    assert nobody.exit_code == 69
    assert mailbox.logins == []
    news.set(MAIL_USER="staffeln", MAIL_PASSWORD="hunter2")
    wrong = news("-vv", "report", "-f", "json")
    assert wrong.exit_code == 69
    assert "535" in wrong.stderr
    assert "hunter2" not in wrong.stdout + wrong.stderr
    (tmp_path / "password").write_text("right\n")
    news.environ.pop("STAFFELN_MAIL_PASSWORD")
    news.set(MAIL_PASSWORD_FILE=str(tmp_path / "password"))
    assert news("report", "-f", "json").counts["sent"] == 1
    assert ("staffeln", "right") in mailbox.logins


def test_wrong_mail_settings_are_all_named_at_once(news: Staffeln) -> None:
    news.set(
        MAIL_SENDER="nobody",
        MAIL_RECEIVERS="a@b,c d@e",
        MAIL_USER="me",
        MAIL_PASSWORD="x",
        MAIL_PASSWORD_FILE="/nowhere",
        MAIL_HOST="mail.example.org",
    )
    answer = news("report", "-f", "json")
    assert answer.exit_code == 78
    for key in ("mail.sender", "mail.receivers", "mail.password", "mail.security"):
        assert key in answer.stderr


def test_a_password_file_that_cannot_be_read_is_a_mistake_of_the_configuration(
    news: Staffeln, mailbox: Mailbox
) -> None:
    send_through(news, mailbox, MAIL_USER="me", MAIL_PASSWORD_FILE="/nowhere/password")
    answer = news("report", "-f", "json")
    assert answer.exit_code == 78
    assert "mail.password_file: /nowhere/password: cannot be read" in answer.stderr


def test_no_mail_server_at_all_loses_nothing(news: Staffeln, mailbox: Mailbox) -> None:
    port = str(free_port())
    send_through(news, mailbox, MAIL_PORT=port)
    answer = news("report", "-f", "json")
    assert answer.exit_code == 69
    assert f"127.0.0.1:{port}: Connection refused" in answer.stderr
    assert answer.counts["unsent"] == 1
    assert send_through(news, mailbox)("report", "-f", "json").counts["sent"] == 1


def test_a_server_that_never_says_a_word_is_waited_for_no_longer_than_configured(
    news: Staffeln, mailbox: Mailbox, silence: int
) -> None:
    send_through(news, mailbox, MAIL_PORT=str(silence), MAIL_TIMEOUT="1s")
    answer = news("report", "-f", "json")
    assert answer.exit_code == 69
    assert answer.json["duration_s"] < 8
    assert "timed out" in answer.stderr or "in time" in answer.stderr


def test_a_server_that_hangs_with_the_letter_in_hand_loses_nothing(
    news: Staffeln, mailbox: Mailbox
) -> None:
    send_through(news, mailbox, MAIL_TIMEOUT="1s")
    mailbox.hangs = True
    assert news("report", "-f", "json").exit_code == 69
    mailbox.hangs = False
    assert news("report", "-f", "json").counts["sent"] == 1


def test_a_receiver_that_is_refused_is_named_and_the_others_have_the_report(
    news: Staffeln, mailbox: Mailbox
) -> None:
    send_through(news, mailbox, MAIL_RECEIVERS="good@example.org,gone@example.org")
    mailbox.refused_receivers["gone@example.org"] = "550 no such user"
    answer = news("report", "-f", "json")
    assert answer.exit_code == 3
    assert answer.counts["sent"] == 1
    assert "gone@example.org was refused: 550 no such user" in answer.json["failures"][0]["reason"]
    assert mailbox.receivers == [["good@example.org"]]
    assert news("report", "-f", "json").counts["projects"] == 0


def test_a_project_whose_receivers_are_refused_does_not_keep_the_others_waiting(
    cloud: SimCloud, news: Staffeln, mailbox: Mailbox
) -> None:
    a_project(cloud, "bank")
    back_up(cloud, news)
    send_through(news, mailbox, MAIL_PROJECT_DOMAIN="example.org")
    del news.environ["STAFFELN_MAIL_RECEIVERS"]
    mailbox.refused_receivers["bank@example.org"] = "550 no such user"
    answer = news("report", "-f", "json")
    assert answer.exit_code == 3
    assert (answer.counts["sent"], answer.counts["unsent"]) == (1, 1)
    assert mailbox.receivers == [["shop@example.org"]]


def test_a_message_that_is_too_large_does_not_stop_the_others(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    for name in ("shop", "bank"):
        a_project(cloud, name)
    back_up(cloud, posting)
    mailbox.refused_sizes = "552 message too large"
    answer = posting("report", "-f", "json")
    assert answer.exit_code == 3
    assert "552 message too large" in answer.json["failures"][0]["reason"]
    assert len(mailbox.letters) == 1


def test_a_password_beyond_ascii_is_a_mistake_of_the_configuration(
    news: Staffeln, mailbox: Mailbox
) -> None:
    send_through(news, mailbox, MAIL_USER="staffeln", MAIL_PASSWORD="geh\u00e4im")
    answer = news("report")
    assert answer.exit_code == ConfigError.exit_code
    assert "mail.password: the password has characters beyond ASCII" in answer.stderr
    assert "geh" not in answer.stderr


def test_a_refused_sender_ends_the_pass(news: Staffeln, mailbox: Mailbox) -> None:
    send_through(news, mailbox)
    mailbox.refused_sender = "550 not from here"
    answer = news("report", "-f", "json")
    assert answer.exit_code == 69
    assert "refuses the sender: 550 not from here" in answer.stderr


def test_one_connection_that_breaks_costs_one_report_a_second_in_a_row_ends_the_pass(
    cloud: SimCloud, news: Staffeln, mailbox: Mailbox
) -> None:
    for name in ("bank", "club"):
        a_project(cloud, name)
    back_up(cloud, news)
    send_through(news, mailbox)
    mailbox.breaks_off = 1
    answer = news("report", "-f", "json")
    assert (answer.exit_code, answer.counts["sent"], answer.counts["unsent"]) == (3, 2, 1)
    cloud.advance(days=1)
    mailbox.breaks_off = 2
    answer = news("report", "-f", "json")
    assert (answer.exit_code, answer.counts["sent"], answer.counts["unsent"]) == (69, 0, 3)


def test_a_test_mail_says_what_was_done_or_why_not(news: Staffeln, mailbox: Mailbox) -> None:
    nobody = news("report", "--test-mail", "me@example.org")
    assert nobody.exit_code == 78
    assert "mail.sender: is not set" in nobody.stderr
    send_through(news, mailbox)
    good = news("report", "--test-mail", "me@example.org")
    assert good.exit_code == 0
    assert (
        "has accepted a mail from Staffeln <backup@example.org> to me@example.org" in good.stdout
    )
    mailbox.refused_receivers["me@example.org"] = "550 no such user"
    refused = news("report", "--test-mail", "me@example.org")
    assert refused.exit_code == 69
    assert "550 no such user" in refused.stderr
    assert news("report", "--test-mail", "not an address").exit_code == 2
    assert news("report", "-f", "json").counts["projects"] == 1


@pytest.fixture
def silence() -> Iterator[int]:
    """The port of a server that accepts connections and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held: list[socket.socket] = []

        def accept() -> None:
            try:
                while True:
                    held.append(listener.accept()[0])
            except OSError:
                return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        port: int = listener.getsockname()[1]
        yield port
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for one in held:
            one.close()
