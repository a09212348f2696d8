"""How the name of a lock becomes one that file systems and Kubernetes accept."""

import hashlib
import re


def plain(name: str) -> str:
    """Keep to DNS-1123; a name that has to change gets a checksum, so that no two become one."""
    safe = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-")
    if safe and safe == name:
        return name
    checksum = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{safe}-{checksum}" if safe else checksum
