"""Which retention holds for a volume by its metadata and its servers'; a typo shortens none."""

from collections.abc import Sequence

from staffeln_cli.model import DecidedBy, InventoryVolume, Server, Volume
from staffeln_cli.model.text import quoted
from staffeln_cli.planning.protection.rules import Rules
from staffeln_cli.planning.retention.policy import in_force, named, reach


def retention_of(
    volume: Volume, servers: list[Server], rules: Rules, known: InventoryVolume | None
) -> tuple[str | None, str | None, DecidedBy]:
    """The retention text that applies, an invalid one to show to people, and whose word it is."""
    last = known.retention if known is not None else None
    own = volume.metadata.get(rules.retention_key)
    if own is not None:
        if _is_valid(own, rules):
            return own.strip(), None, DecidedBy.VOLUME
        return _longest((None, last), rules), quoted(own), DecidedBy.VOLUME
    text, bad = _retention_of_servers(volume, servers, rules, known)
    return text, bad, DecidedBy.DEFAULT if text is None else DecidedBy.SERVER


def _retention_of_servers(
    volume: Volume, servers: list[Server], rules: Rules, known: InventoryVolume | None
) -> tuple[str | None, str | None]:
    """The longest retention of the servers, as last seen where one is missing."""
    last = known.retention if known is not None else None
    from_server = last
    if known is not None and known.retention_decided_by is DecidedBy.VOLUME:
        from_server = None  # the volume's own key was removed: what it said is no server's word
    texts: list[str | None] = []
    bad = None
    for server in servers:
        wanted = server.metadata.get(rules.retention_key)
        if wanted is None or _is_valid(wanted, rules):
            texts.append(wanted.strip() if wanted is not None else None)
        else:
            texts += (None, last)
            bad = quoted(wanted)
    if len(servers) < len(set(volume.server_ids)) or not servers:
        texts.append(from_server)
    return _longest(texts, rules), bad


def _longest(texts: Sequence[str | None], rules: Rules) -> str | None:
    if len(texts) == 1:
        return texts[0]
    return max(texts, key=lambda text: _length(text, rules))


def _is_valid(text: str, rules: Rules) -> bool:
    try:
        named(text.strip(), rules.policies)
    except ValueError:
        return False
    return True


def _length(text: str | None, rules: Rules) -> tuple[object, ...]:
    """Sorting key; of equal lengths an explicit text wins, whatever the order of servers."""
    policy = in_force(text, rules.policies, rules.default)
    return reach(policy), text is not None, text or ""
