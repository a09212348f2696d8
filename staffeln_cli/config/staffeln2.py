"""The options of Staffeln 2, VEXXHOST's, and the keys that mean the same here.

They are those of staffeln:staffeln/conf in GitHub's vexxhost/staffeln, in oslo.config's format.
"""

from collections.abc import Callable, Iterator, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from staffeln_cli.config.load import keys
from staffeln_cli.config.staffeln2_advice import advice_on
from staffeln_cli.config.values import decoded
from staffeln_cli.errors import ConfigError
from staffeln_cli.model import durations
from staffeln_cli.model.durations import Duration

EVERY_SERVER = ""


class Option(NamedTuple):
    """An option of oslo.config."""

    section: str
    name: str

    def __str__(self) -> str:
        return f"[{self.section}] {self.name}"


@dataclass(frozen=True, slots=True)
class Imported:
    """A key, its value as TOML has it, and where that came from."""

    key: str
    value: object
    source: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An option that is not carried over, and what to do instead."""

    option: Option
    advice: str


@dataclass(frozen=True, slots=True)
class Result:
    """What becomes of a configuration."""

    imported: tuple[Imported, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    """How the value of an option becomes that of a key."""

    key: str
    read: Callable[[str], object]
    default: str | None = None
    """What Staffeln 2 does without the option, where Staffeln does something else."""


def _seconds(text: str) -> str:
    return str(Duration(exact=timedelta(seconds=int(text))))


def _duration(text: str) -> str:
    return str(durations.parse(text))


def _addresses(text: str) -> list[str]:
    return [part.strip().strip("'\"") for part in text.strip("[]").split(",") if part.strip()]


RULES: Mapping[Option, _Rule] = {
    Option("conductor", "backup_metadata_key"): _Rule("select.metadata_key", str, EVERY_SERVER),
    Option("conductor", "backup_min_interval"): _Rule("backup.min_interval", _seconds, "1800"),
    Option("conductor", "full_backup_depth"): _Rule("backup.full_backup_depth", int, "2"),
    Option("conductor", "backup_cycle_timout"): _Rule("backup.timeout", _duration),
    Option("conductor", "retention_time"): _Rule("retention.time", _duration),
    Option("conductor", "retention_metadata_key"): _Rule("retention.metadata_key", str),
    Option("conductor", "report_period"): _Rule("report.period", _seconds),
    Option("openstack", "retry_timeout"): _Rule("cloud.retry_timeout", _seconds),
    Option("notification", "sender_email"): _Rule("mail.sender", str),
    Option("notification", "receiver"): _Rule("mail.receivers", _addresses),
    Option("notification", "project_receiver_domain"): _Rule("mail.project_domain", str),
    Option("notification", "smtp_server_domain"): _Rule("mail.host", str),
    Option("notification", "smtp_server_port"): _Rule("mail.port", int, "25"),
    Option("api", "host"): _Rule("policy.host", str, "0.0.0.0"),  # noqa: S104 - as it was
    Option("api", "port"): _Rule("policy.port", int),
}


class _Parser(ConfigParser):
    """Reads as oslo.config does: names are case-sensitive, and dashes are underscores."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr.strip().replace("-", "_")


def options_of(text: str) -> dict[Option, str]:
    """The options that are set; ConfigError for what is not in oslo.config's format."""
    parser = _Parser(default_section="", strict=False, interpolation=None)
    try:
        parser.read_string(text)
    except ConfigParserError as error:
        raise ConfigError([f"is not in oslo.config's format: {error.message}"]) from error
    return {
        Option(section, name): _unquoted(value)
        for section in parser.sections()
        for name, value in parser.items(section)
    }


def imported_from(options: Mapping[Option, str]) -> Result:
    """What becomes of each option; ConfigError with all values that are not understood."""
    problems: list[str] = []
    imported = [*_imported(options, problems), *_mail_security(options)]
    if problems:
        raise ConfigError(problems)
    left_out = [LeftOut(option, advice_on(option, options)) for option in options.keys() - RULES]
    order = {name: number for number, name in enumerate(keys())}
    return Result(
        tuple(sorted(imported, key=lambda each: order[each.key])),
        tuple(sorted(left_out, key=lambda each: each.option)),
    )


def _imported(options: Mapping[Option, str], problems: list[str]) -> Iterator[Imported]:
    for option, rule in RULES.items():
        text = options.get(option, rule.default)
        if text is None or (not text and rule.default != EVERY_SERVER):
            continue
        try:
            value = rule.read(text)
            decoded(value, keys()[rule.key], is_text=False)
        except ValueError as error:  # msgspec's errors are some
            problems.append(f"{option}: {error}")
            continue
        source = str(option) if option in options else f"the default of Staffeln 2 for {option}"
        yield Imported(rule.key, value, source)


def _mail_security(options: Mapping[Option, str]) -> Iterator[Imported]:
    """Staffeln 2 sends no mail without STARTTLS."""
    if Option("notification", "sender_email") in options:
        yield Imported("mail.security", "starttls", "what Staffeln 2 always does")


def _unquoted(value: str) -> str:
    value = value.strip()
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if is_quoted else value
