"""Delivery of reports: templates, time zone, mail server."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from staffeln_cli.config import Settings
from staffeln_cli.mail import MailServer, Message, MessageRejected
from staffeln_cli.model.durations import Duration
from staffeln_cli.planning.evidence import believed
from staffeln_cli.reports.model import OperatorSummary, ProjectReport
from staffeln_cli.reports.pages.html import Pages
from staffeln_cli.reports.pages.layout import Page, writing

_GRACE_SHARE = 0.05
_MOST_GRACE = timedelta(minutes=15)


class ReportMailer:
    """Turns pages into mails and sends them, if a mail server is configured."""

    def __init__(self, settings: Settings) -> None:
        self.when = writing(settings.report.timezone)
        self._pages = Pages(settings.report.templates)
        self._server = MailServer(settings.mail) if settings.mail.sender is not None else None
        self.refused = 0
        """Mails that the mail server refused."""

    @property
    def sends(self) -> bool:
        """Whether there is a mail server to send with."""
        return self._server is not None

    @property
    def server(self) -> MailServer:
        """The mail server; only to be used if `sends` is true."""
        if self._server is None:
            raise ValueError("reports go to the log")
        return self._server

    def text(self, page: Page, facts: ProjectReport | OperatorSummary) -> str:
        """The page as plain text."""
        return self._pages.text(page, facts=facts)

    def html(self, page: Page, facts: ProjectReport | OperatorSummary) -> str:
        """The page as HTML."""
        return self._pages.html(page, facts=facts)

    def send(
        self,
        page: Page,
        facts: ProjectReport | OperatorSummary,
        recipients: Sequence[str],
        message_id: str,
    ) -> Mapping[str, str]:
        """Send a page; return the recipients that were refused, with reasons.

        Raises MessageRejected or MailUnavailable when nobody has received it.
        """
        message = Message(
            receivers=recipients,
            subject=page.subject,
            text=self.text(page, facts),
            html=self.html(page, facts),
            message_id=message_id,
            date=facts.until,
        )
        try:
            return self.server.send(message)
        except MessageRejected:
            self.refused += 1
            raise

    def close(self) -> None:
        """End the connection to the mail server."""
        if self._server is not None:
            self._server.close()


def message_id(whom: str, since: datetime | None) -> str:
    """The same for the same period, so that mail programs recognise a repeated report."""
    start = since.isoformat() if since else "first"
    return f"staffeln.{hashlib.sha256(f'{whom} {start}'.encode()).hexdigest()[:32]}"


def is_over(last: datetime | None, period: Duration, now: datetime) -> bool:
    """Whether a period is over; a little early, so that a daily crontab does not drift.

    A last report that lies in the future was noted by a wrong clock.
    """
    last = believed(last, now)
    if last is None:
        return True
    end = period.after(last)
    return end - min((end - last) * _GRACE_SHARE, _MOST_GRACE) <= now
