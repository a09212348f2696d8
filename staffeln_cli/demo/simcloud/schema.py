"""Checks of request bodies, refused in Cinder's own words."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from staffeln_cli.demo.simcloud.errors import Refused, refused

LONGEST = 255
METADATA_KEY = r"^[a-zA-Z0-9-_:. /]{1,255}$"
TRUE = (True, "True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes", "y", "t")
FALSE = (False, "False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no", "n", "f")


def part(body: object, key: str) -> dict[str, Any]:
    """Give the object under the one key a body has to have."""
    if not isinstance(body, dict):
        raise refused(400, "Malformed request body")
    if key not in body:
        raise refused(400, f"'{key}' is a required property")
    inner = body[key]
    if not isinstance(inner, dict):
        raise _invalid(key, inner, f"{inner!r} is not of type 'object'")
    return inner


def only(inner: Mapping[str, Any], name: str, allowed: set[str], required: str = "") -> None:
    """Refuse properties that this microversion does not know, and a missing one."""
    if required and required not in inner:
        raise _invalid(name, inner, f"'{required}' is a required property")
    extra = [key for key in inner if key not in allowed]
    if extra:
        names = ", ".join(f"'{key}'" for key in extra)
        verb = "was" if len(extra) == 1 else "were"
        text = f"Additional properties are not allowed ({names} {verb} unexpected)"
        raise _invalid(name, inner, text)


def text(inner: Mapping[str, Any], key: str) -> str | None:
    """Give a string of at most 255 characters, without the spaces around it."""
    value = inner.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _invalid(key, value, f"{value!r} is not of type 'string', 'null'")
    value = value.strip()
    if len(value) > LONGEST:
        raise _invalid(key, value, f"'{value}' is too long")
    return value


def identifier(inner: Mapping[str, Any], key: str) -> str | None:
    value = inner.get(key)
    if value is None:
        return None
    try:
        uuid.UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise _invalid(key, value, f"{value!r} is not a 'uuid'") from None
    return str(value)


def flag(inner: Mapping[str, Any], key: str) -> bool:
    value = inner.get(key, False)
    if value in TRUE or value in FALSE:
        return value in TRUE
    raise _invalid(key, value, f"{value!r} is not one of {[*TRUE, *FALSE]}")


def metadata(inner: Mapping[str, Any], key: str = "metadata") -> dict[str, str]:
    pairs = inner.get(key)
    if pairs is None:
        return {}
    if not isinstance(pairs, dict):
        raise _invalid(key, pairs, f"{pairs!r} is not of type 'object', 'null'")
    for name, value in pairs.items():
        if not re.match(METADATA_KEY, name):
            reason = f"{name!r} does not match any of the regexes: '{METADATA_KEY}'"
            raise _invalid(key, pairs, reason)
        if not isinstance(value, str):
            raise _invalid(name, value, f"{value!r} is not of type 'string'")
        if len(value) > LONGEST:
            raise _invalid(name, value, f"'{value}' is too long")
    return dict(pairs)


def size(inner: Mapping[str, Any]) -> int:
    """Give a volume's size in GiB, which may come as a number in a string."""
    value = inner.get("size")
    if value is None:
        message = "The server could not comply with the request since it is either malformed"
        raise refused(400, f"{message} or otherwise incorrect.")
    if not re.fullmatch(r"[0-9]+", str(value)):
        raise _invalid("size", value, f"{value!r} does not match '^[0-9]+$'")
    if int(value) < 1:
        raise _invalid("size", value, f"{value} is less than the minimum of 1")
    return int(value)


def _invalid(name: str, value: object, reason: str) -> Refused:
    return refused(400, f"Invalid input for field/attribute {name}. Value: {value}. {reason}")
