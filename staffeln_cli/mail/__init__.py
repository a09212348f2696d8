"""Mail: one mail server, plain addresses, messages as HTML and text."""

from staffeln_cli.mail.addresses import addresses, is_address, problems
from staffeln_cli.mail.server import MailServer, Message, MessageRejected

__all__ = ["MailServer", "Message", "MessageRejected", "addresses", "is_address", "problems"]
