"""Settings in environment variables: their names, and what their text means."""

import re
from collections.abc import Iterable, Iterator, Mapping

PREFIX = "STAFFELN_"
_NOT_KEYS = ("STAFFELN_CONFIG", "STAFFELN_TEST_")
_OF_A_SERVICE = re.compile(
    r"STAFFELN(_[A-Z0-9_]+?)?"
    r"_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
"""What Kubernetes sets in every pod for a service called `staffeln` or `staffeln-...`."""
_PORT_OF_A_SERVICE = re.compile(r"(tcp|udp|sctp)://")


def variable(name: str) -> str:
    """The environment variable of a `section.key`."""
    return PREFIX + name.replace(".", "_").upper()


def given(
    environ: Mapping[str, str], names: Iterable[str]
) -> Iterator[tuple[str | None, str, str]]:
    """The key that each of our variables sets, None for one that sets none, variable and text."""
    known = {variable(name): name for name in names}
    for name, text in sorted(environ.items()):
        if not name.startswith(PREFIX) or name.startswith(_NOT_KEYS) or _is_service(name, text):
            continue
        # A newline is what `$(cat FILE)` in other tools leaves; no value ends in one.
        yield known.get(name), name, text.rstrip("\r\n")


def _is_service(name: str, text: str) -> bool:
    if name.endswith("_PORT") and _PORT_OF_A_SERVICE.match(text):
        return True
    return _OF_A_SERVICE.fullmatch(name) is not None
