"""The connection to a cloud, as openstacksdk reads it from clouds.yaml and the environment."""

import os
from importlib import metadata
from urllib.parse import urlsplit
from urllib.request import getproxies

import openstack
import requests
from keystoneauth1 import exceptions as ksa
from openstack import exceptions as sdk
from openstack.connection import Connection

from staffeln_cli.cloud.clouds_file import advice, check_files
from staffeln_cli.config.settings import CloudSettings
from staffeln_cli.errors import CloudUnavailable, ConfigError
from staffeln_cli.model.text import first_line

_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def connected(settings: CloudSettings) -> Connection:
    """A connection that has not asked anything yet; ConfigError where clouds.yaml is wrong."""
    cloud = settings.name or os.environ.get("OS_CLOUD") or "from the environment"
    check_files()
    try:
        connection = openstack.connect(
            cloud=settings.name,
            region_name=settings.region,
            app_name="staffeln",
            app_version=metadata.version("staffeln"),
            api_timeout=settings.request_timeout.total_seconds(),
        )
    except (sdk.ConfigException, ksa.AuthPluginException) as error:
        raise ConfigError([f"cloud {cloud}: {_why_not(error)}"]) from error
    except TypeError as error:
        raise ConfigError([f"cloud {cloud}: {_wrong_key(error)}"]) from error
    except requests.RequestException as error:  # a `profile` may be a URL
        raise CloudUnavailable(f"cloud {cloud}: its profile: {first_line(error)}") from error
    except (AttributeError, KeyError, ValueError, OSError) as error:
        # openstacksdk takes for granted that each part of the file is a mapping.
        raise ConfigError([f"cloud {cloud}: {_SHAPE} ({first_line(error)})"]) from error
    _check_auth_url(cloud, connection)
    return connection


_SHAPE = (
    "clouds.yaml is not understood; expected: clouds: with a mapping of names to entries, each"
    " with auth: and a mapping below it"
)


def _why_not(error: Exception) -> str:
    """What openstacksdk says of the login, and where it looked if it has found none."""
    text = first_line(error)
    if text.endswith((" was not found.", ": auth_url")):
        return f"{text.removesuffix('.')}; {advice()}"
    return text


def _wrong_key(error: TypeError) -> str:
    """What an unknown key below `auth:` leads to: an argument that the plugin does not take."""
    text = first_line(error)
    _, _, key = text.partition("unexpected keyword argument ")
    if not key:
        return f"{_SHAPE} ({text})"
    return f"clouds.yaml, auth: {key} is not a key of this auth_type; check its spelling"


def _check_auth_url(cloud: str, connection: Connection) -> None:
    """ConfigError unless `auth_url` is one that requests can be sent to."""
    url = str(connection.config.get_auth_args().get("auth_url") or "")
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        is_usable = False
    if not is_usable:
        expected = "expected http:// or https://, a host, and a port if need be"
        raise ConfigError([f"cloud {cloud}: auth_url: {url!r} is not usable; {expected}"])


def needs_environment() -> bool:
    """Whether proxies or certificates are set by the environment.

    If not, `requests` need not look for them, and for a .netrc, at every single request, which
    takes as long as all else that it does (requests:src/requests/sessions.py).
    """
    return bool(getproxies()) or any(os.environ.get(name) for name in _CERTIFICATES)
