"""Look at a report, or at the mail server, without telling anybody anything."""

from typing import TYPE_CHECKING

from staffeln_cli import mail
from staffeln_cli.commands.report.composing import completed, drafted
from staffeln_cli.commands.report.desk import Desk, message_id
from staffeln_cli.commands.report.operator import surveyed
from staffeln_cli.commands.report.operator_page import operator_page
from staffeln_cli.commands.report.project_page import project_page
from staffeln_cli.errors import MailUnavailable, NotFound
from staffeln_cli.runtime import Runtime

if TYPE_CHECKING:
    from staffeln_cli.store.report_rows import Addressee


def preview(runtime: Runtime, project: str | None) -> str:
    """The HTML of a project's next report, or of the operator's; nothing is sent or noted."""
    desk, now = Desk(runtime.settings), runtime.now()
    if project is None:
        overall = surveyed(runtime, now)
        return desk.html(operator_page(overall, desk.when), overall)
    digest = completed(runtime, drafted(runtime, _found(runtime, project), now))
    return desk.html(project_page(digest, desk.when), digest)


def try_mail(runtime: Runtime, address: str) -> str:
    """Send a few words to an address; return what was done. MailUnavailable says why not."""
    settings = runtime.settings.mail
    if not mail.is_address(address):
        raise NotFound(f"{address!r} is not an e-mail address")
    server = mail.MailServer(settings)
    now = runtime.now()
    text = f"Staffeln can send mail through the {server.shown}.\n"
    letter = mail.Letter(
        receivers=[address],
        subject="[Staffeln] test mail",
        text=text,
        html=f"<p>{text}</p>",
        message_id=message_id(f"test to {address}", now),
        date=now,
    )
    try:
        server.send(letter)
    except mail.NotTaken as error:
        raise MailUnavailable(str(error)) from error
    finally:
        server.close()
    return f"the {server.shown} has taken a mail from {settings.sender} to {address}"


def _found(runtime: Runtime, project: str) -> "Addressee":
    found = runtime.store.reports.projects_named(project)
    if not found:
        raise NotFound(f"project {project!r}: none of this name or id was ever seen")
    if len(found) > 1:
        ids = ", ".join(one.project_id for one in found)
        raise NotFound(f"project {project!r}: several have this name; give the id: {ids}")
    return found[0]
