"""URLs of services are compared in one spelling."""

import pytest

from staffeln_cli.model.cloud import keystone_of, normalized


@pytest.mark.parametrize(
    "url",
    [
        "https://keystone.example/identity",
        "https://keystone.example/identity/",
        "https://keystone.example/identity/v3",
        "HTTPS://Keystone.Example/identity/v3/",
    ],
)
def test_keystone_may_be_spelled_in_several_ways(url: str) -> None:
    assert keystone_of(url) == "https://keystone.example/identity"


def test_the_path_of_a_url_keeps_its_case() -> None:
    assert normalized("https://Cinder:8776/V3/") == "https://cinder:8776/V3"
