"""lock.url: every form it has, and complaints that keep its secrets."""

import re
from pathlib import Path

import pytest

from staffeln_cli.errors import ConfigError
from staffeln_cli.locks import check_url
from staffeln_cli.locks.url import (
    FileUrl,
    KubernetesUrl,
    LockUrl,
    RedisLogin,
    RedisUrl,
    SentinelUrl,
    parse,
)
from staffeln_cli.model.text import dns_label

UNDERSTOOD: dict[str, LockUrl] = {
    "file:///var/lib/staffeln": FileUrl(Path("/var/lib/staffeln")),
    "file://localhost/with%20space": FileUrl(Path("/with space")),
    "redis://cache": RedisUrl("cache", 6379, RedisLogin()),
    "redis://cache:7000/3": RedisUrl("cache", 7000, RedisLogin(db=3)),
    "redis://[::1]:7000": RedisUrl("::1", 7000, RedisLogin()),
    "redis://:s%40crt@cache": RedisUrl("cache", 6379, RedisLogin(password="s@crt")),
    "redis://me:secret@cache": RedisUrl("cache", 6379, RedisLogin("me", "secret")),
    "rediss://cache?ssl_ca_certs=/ca.pem": RedisUrl(
        "cache", 6379, RedisLogin(tls=True, tls_options=(("ssl_ca_certs", "/ca.pem"),))
    ),
    "redis+sentinel://one,two:7001/staffeln/2": SentinelUrl(
        (("one", 26379), ("two", 7001)), "staffeln", RedisLogin(db=2)
    ),
    "rediss+sentinel://:a@[::1]:7,b/my%20set?sentinel_username=u&sentinel_password=p": SentinelUrl(
        (("::1", 7), ("b", 26379)), "my set", RedisLogin(password="a", tls=True), "u", "p"
    ),
    "kubernetes://backups": KubernetesUrl("backups"),
    "kubernetes://backups?context=prod&kubeconfig=/etc/kube": KubernetesUrl(
        "backups", "prod", "/etc/kube"
    ),
}

MALFORMED = {
    "": "has no scheme",
    "/var/lib/staffeln": "has no scheme",
    "memcached://cache": "has the scheme 'memcached'",
    "file://relative/folder": "three slashes",
    "file:///folder?mode=0700": "an option that does not exist here (there are none)",
    "redis://": "does not name a host",
    "redis://:6379/0": "does not name a host",
    "redis://one,two/0": "names several hosts",
    "redis://cache/name": "number of a database",
    "redis://cache?ssl_ca_certs=/ca.pem": "an option that does not exist here",
    "redis://cache:99999": "is not a URL",
    "redis://[::1": "is not a URL",
    "redis+sentinel://one,two": "does not name the service",
    "redis+sentinel://one,/staffeln": "does not name a host",
    "redis+sentinel://one/staffeln/two": "number of a database",
    "kubernetes://": "does not name a namespace",
    "kubernetes://Backups": "does not name a namespace",
    "kubernetes://backups/staffeln": "does not name a namespace",
    "kubernetes://backups?user=me": "does not exist here (those there are: context, kubeconfig)",
}

LEAKY = [
    "redis://me:hush@",
    "redis://:hu/hush@cache",
    "redis://:hush@@cache/x",
    "redis://:hush#hush@cache",
    "redis://me:hush?hush@cache",
    "redis://cache:hush",
    "redis://cache:hush/0",
    "redis:/:hush@cache",
    "redis:me:hush@cache/x",
    "rdis://me:hush@cache",
    "me:hush@cache",
    "redis://cache?password=hush",
    "redis://cache?Password=hush@cache",
    "redis+sentinel://one,two?sentinel_password=hush",
    "redis+sentinel://:hush@one,two",
    "rediss+sentinel://:hush@one,two:hush/staffeln",
    "redis://me:hush\n@cache/x",
]


@pytest.mark.parametrize("url", UNDERSTOOD)
def test_each_form_is_understood(url: str) -> None:
    assert parse(url) == UNDERSTOOD[url]


@pytest.mark.parametrize("url", MALFORMED)
def test_a_malformed_url_is_named_with_what_is_wrong_and_what_is_expected(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_url(url)
    (problem,) = caught.value.problems
    assert problem.startswith("lock.url: ")
    assert MALFORMED[url] in problem
    assert "expected database, file:///folder" in problem


@pytest.mark.parametrize("url", LEAKY)
def test_a_complaint_never_shows_a_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_url(url)
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("url", [url for url in UNDERSTOOD if "@" in url])
def test_a_parsed_url_does_not_show_its_passwords(url: str) -> None:
    shown = repr(parse(url))
    assert "secret" not in shown
    assert "s@crt" not in shown
    assert "password" not in shown


def test_a_plain_name_stays_as_it_is() -> None:
    assert dns_label("leader-regionone") == "leader-regionone"


@pytest.mark.parametrize(
    "name", ["Leader", "a_b", "a--b", "a-", "", "ö", "cloud/region", "x" * 99]
)
def test_any_other_name_becomes_a_short_plain_one_of_its_own(name: str) -> None:
    safe = dns_label(name)
    assert len(safe) <= 63 - len("staffeln-")
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", safe)
    assert safe != name
    assert dns_label(name + "!") != safe
