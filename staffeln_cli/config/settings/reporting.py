"""Reports, the mail server, notifications."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from staffeln_cli.model.durations import Duration, Timeout


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """When reports are sent, and what is in them."""

    period: Annotated[
        Duration, Meta(description="least time between two reports to a project")
    ] = Duration(exact=timedelta(days=1))
    only: Annotated[
        Literal["always", "trouble"],
        Meta(description='"trouble" = no report to a project without problems'),
    ] = "always"
    timezone: Annotated[
        str | None,
        Meta(description="show times in this zone, Europe/Berlin say, with its offset from UTC"),
    ] = None
    templates: Annotated[
        Path | None, Meta(description="folder whose templates replace those of the same name")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """How reports are sent; without a sender they go to the log."""

    sender: Annotated[
        str | None, Meta(description="address that reports come from; without it, no mail is sent")
    ] = None
    receivers: Annotated[
        tuple[str, ...], Meta(description="addresses that get the reports of all projects")
    ] = ()
    project_domain: Annotated[
        str | None,
        Meta(
            description="without receivers, reports go to <project name>@<this domain>;"
            " without both, to the project's members as Keystone knows them"
        ),
    ] = None
    operator: Annotated[
        str | None,
        Meta(description="address (or several, with commas) that gets a digest of all projects"),
    ] = None
    host: Annotated[str, Meta(min_length=1, description="mail server")] = "localhost"
    port: Annotated[
        int,
        Meta(ge=0, le=65535, description="its port; 0 = 25, with starttls 587, with tls 465"),
    ] = 0
    security: Annotated[
        Literal["none", "starttls", "tls"],
        Meta(description="starttls and tls check the server's certificate"),
    ] = "none"
    ca_file: Annotated[
        Path | None,
        Meta(description="CA certificates to check the server's; default: the system's"),
    ] = None
    user: Annotated[str | None, Meta(description="user name; without it, no login")] = None
    password: Annotated[str | None, Meta(description="its password")] = None
    password_file: Annotated[
        Path | None, Meta(description="a file with the password, instead of password")
    ] = None
    timeout: Annotated[Timeout, Meta(description="longest wait for the mail server")] = Timeout(
        seconds=30
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySettings:
    """Notifications about runs: chats, webhooks, dead man's switches."""

    urls: Annotated[
        tuple[str, ...],
        Meta(
            description="Apprise URLs (ntfy://…, slack://…, mailto://…), or ping+https://…"
            " for services that expect a regular ping; these get every run"
        ),
    ] = ()
    on: Annotated[
        tuple[Literal["start", "success", "failure"], ...],
        Meta(description="which events of runs are sent to the Apprise URLs"),
    ] = ("failure",)
