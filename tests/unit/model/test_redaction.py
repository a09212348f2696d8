"""Secrets in URLs: never in the URL as shown, nor in what a driver says about it."""

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from staffeln_cli.model.redaction import masked_url, without, without_secrets

PASSWORDS = st.text(min_size=1, max_size=30)
SCHEMES = st.sampled_from(["postgresql+psycopg", "redis", "rediss+sentinel", "ping+https"])


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////var/lib/staffeln/a@b:c.db", "sqlite:////var/lib/staffeln/a@b:c.db"),
        ("file:///run/lock/a@b", "file:///run/lock/a@b"),
        ("kubernetes://backups?context=a", "kubernetes://backups?context=a"),
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("redis+sentinel://a,b:26379/name", "redis+sentinel://a,b:26379/name"),
        (
            "postgresql://u:secret@[fe80::1%25eth0]:5432/d",
            "postgresql://u:***@[fe80::1%25eth0]:5432/d",
        ),
        ("postgresql://staffeln:secret@db/staffeln", "postgresql://staffeln:***@db/staffeln"),
        ("redis://me@corp:secret@host/0", "redis://me@corp:***@host/0"),
        ("redis://secret@host/0", "redis://***@host/0"),
        ("postgresql+psycopg://backup@/d?host=/run", "postgresql+psycopg://backup@/d?host=/run"),
        ("mysql+pymysql://backup@db/d", "mysql+pymysql://backup@db/d"),
        ("redis://h/0?passwd=sec#ret", "redis://h/0?passwd=***"),
        ("redis://h/0?sentinel_password=s&db=1", "redis://h/0?sentinel_password=***&db=1"),
        ("postgresql://db/x?password=sec&ret&user=u", "postgresql://db/x?password=***&***&user=u"),
        ("redis://cache:secret", "redis://cache:***"),
        ("redis://cache:sec/ret?x", "redis://cache:***"),
        ("", ""),
    ],
)
def test_a_url_is_shown_with_all_but_its_secrets(url: str, shown: str) -> None:
    assert masked_url(url) == shown


@given(scheme=SCHEMES, password=PASSWORDS)
@example(scheme="postgresql+psycopg", password="pa@ss/w:ord?#[")
@example(scheme="redis", password="@")
def test_any_password_becomes_the_mask(scheme: str, password: str) -> None:
    assert masked_url(f"{scheme}://me:{password}@host/0") == f"{scheme}://me:***@host/0"


@given(password=PASSWORDS, tail=st.text("abcxyzÄ0189._-", min_size=1, max_size=20))
@example(password="p", tail="s")
def test_what_a_driver_takes_for_the_host_is_masked(password: str, tail: str) -> None:
    url = f"postgresql://me:{password}@{tail}@host.example/state"
    message = f'could not translate host name "{tail}@host.example" to address'
    assert without_secrets(message, url).count(f"{tail}@host") == 0
    assert without_secrets(message, url).endswith('@host.example" to address')


@given(password=PASSWORDS.filter(lambda text: text.strip() and not {"<", ">"} & set(text)))
def test_a_secret_is_masked_plain_quoted_and_percent_encoded(password: str) -> None:
    url = f"redis://me:{password}@host/0"
    assert without_secrets(f"<{password}>", url) == "<***>"
    assert without_secrets(f"<{quote(password, safe='')}>", url) == "<***>"
    assert without_secrets(f"<{repr(password)[1:-1]}>", url) == "<***>"


@pytest.mark.parametrize(
    ("url", "message", "left"),
    [
        ("redis://host:hush/0", "Port could not be cast: 'hush'", "Port could not be cast: '***'"),
        ("redis://h?token=hush", "no such key HUSH", "no such key ***"),
        ("postgresql://h/d?password=a%40hush", "FATAL: a@hush", "FATAL: ***"),
        ("postgresql://u:x%2Fhush@h/d", "no host x/hush or hush", "no host *** or ***"),
        ("sqlite:////state/db", "unable to open /state/db", "unable to open /state/db"),
        ("postgresql://u:on@h/d", "connection on socket", "connection *** socket"),
        ("postgresql://backup@/d?host=/run", "backup 1 of postgresql", "backup 1 of postgresql"),
        ("postgresql://backup:@/d", "backup 1 of postgresql", "backup 1 of postgresql"),
        ("redis://hush@h/0", "no host hush", "no host ***"),
    ],
)
def test_messages_lose_the_secret_and_nothing_else(url: str, message: str, left: str) -> None:
    assert without_secrets(message, url) == left


def test_a_text_without_secrets_stays_as_it_is() -> None:
    assert without("connection refused", []) == "connection refused"
