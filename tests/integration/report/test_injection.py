"""Whatever strangers call their things, and whatever Cinder says, it stays data."""

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.build import MARKED
from tests.conftest import Staffeln
from tests.integration.report.conftest import back_up
from tests.services.smtp import Mailbox, html_of, text_of

EVIL = "<script>alert(1)</script>"
ENCODED = "=?utf-8?q?=0D=0ABcc:_evil@example.org?="
HEADER = "x\r\nBcc: evil@example.org\r\n\r\nhello"


@pytest.mark.parametrize("poison", [EVIL, HEADER, "\u202egnp.exe", "{{ 7 * 7 }}", ENCODED])
def test_names_and_reasons_of_strangers_stay_data(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox, poison: str
) -> None:
    project = cloud.people.add_project(f"p{poison}")
    server = cloud.things.add_server(
        f"s{poison}", project=project, metadata=MARKED | {"__staffeln_retention": poison}
    )
    cloud.things.add_volume(f"v{poison}", project=project, server=server, size_gib=1)
    cloud.things.add_volume(f"w{poison}", project=project, server=server, size_gib=1)
    cloud.steering.fail_next_backup(f"reason {poison}")
    back_up(cloud, posting)
    assert posting("report", "-f", "json").counts["sent"] == 1
    (letter,) = mailbox.letters
    assert mailbox.receivers == [["ops@example.org"]]
    assert letter["Bcc"] is None
    assert [name for name, _ in letter.items()].count("Subject") == 1
    assert EVIL not in html_of(letter)
    assert "p49" not in html_of(letter)
    for text in (text_of(letter), html_of(letter)):
        assert "\u202e" not in text
        assert "\nBcc:" not in text
    assert "FAILED" in letter["Subject"]


def test_a_log_line_cannot_be_forged(cloud: SimCloud, staffeln: Staffeln) -> None:
    project = cloud.people.add_project("p\n2026-01-01T00:00:00Z ERROR forged")
    server = cloud.things.add_server("s\x1b[31m", project=project, metadata=MARKED)
    cloud.things.add_volume("v\nWARNING forged", project=project, server=server)
    back_up(cloud, staffeln)
    answer = staffeln("-v", "report")
    lines = answer.stderr.splitlines()
    assert not any(line.startswith(("2026-01-01T00:00:00Z ERROR", "WARNING")) for line in lines)
    assert "\x1b" not in answer.stderr
