import pytest

from staffeln_cli.config.settings import MailSettings
from staffeln_cli.mail import addresses, is_address, problems


@pytest.mark.parametrize("text", ["a@b", "ana.b+c@example.org", "o'x@y-z.q"])
def test_plain_addresses_are_addresses(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ana",
        "@b",
        "a@",
        "a@b@c",
        "a b@c",
        "a@b>, <c@d",
        "a@b\r\nRCPT TO:<c@d>",
        "Ana <a@b>",
        '"a b"@c',
        "a,b@c",
        "a\u202e@b",
        "müller@example.org",
        "=?utf-8?q?x?=@b",
        "a..b@c",
        ".a@c",
        "a@b.",
        "a@b\n",
        "a\u00a0@b",
        "x" * 250 + "@b.org",
    ],
)
def test_nothing_else_is_an_address(text: str) -> None:
    assert not is_address(text)


def test_several_addresses_may_be_given_with_commas() -> None:
    assert addresses("a@b, c@d,") == ("a@b", "c@d")
    assert addresses(None) == ()


def test_a_password_in_the_clear_is_accepted_for_this_host_only() -> None:
    login = MailSettings(sender="a@b", user="me", password="x")
    assert problems(login) == []
    away = MailSettings(sender="a@b", user="me", password="x", host="mail.example.org")
    assert "in the clear" in problems(away)[0]
    safe = MailSettings(
        sender="a@b", user="me", password="x", host="mail.example.org", security="tls"
    )
    assert problems(safe) == []


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (MailSettings(sender="Ana <>"), "mail.sender"),
        (MailSettings(receivers=("Ana <a@b>",)), "mail.receivers"),
        (MailSettings(operator="a@b,c"), "mail.operator"),
        (MailSettings(project_domain="a b"), "mail.project_domain"),
        (MailSettings(user="me"), "mail.user"),
        (MailSettings(password="x"), "mail.password"),
    ],
)
def test_each_mistake_names_its_key(settings: MailSettings, key: str) -> None:
    (problem,) = problems(settings)
    assert problem.startswith(f"{key}: ")
