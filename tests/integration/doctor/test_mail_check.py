"""What doctor says about the mail server and the sender."""

from typing import Any

from tests.services.smtp import a_mail_server


def test_a_mail_server_is_tried_where_reports_are_mailed(staffeln: Any, doctor: Any) -> None:
    staffeln.set(MAIL_SENDER="backup@example.org", MAIL_HOST="127.0.0.1")
    with a_mail_server() as mailbox:
        staffeln.set(MAIL_PORT=str(mailbox.port))
        assert doctor().levels("mail") == {"ok"}
    found = doctor()
    assert found.exit_code == 69
    assert found.levels("mail") == {"problem"}


def test_a_sender_that_is_no_address_is_a_mistake(staffeln: Any, doctor: Any) -> None:
    staffeln.set(MAIL_SENDER="nobody")
    found = doctor()
    assert (found.exit_code, found.levels("mail")) == (78, {"problem"})
