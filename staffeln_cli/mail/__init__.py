"""The way to people's mailboxes: one mail server, plain addresses, letters in two shapes."""

from staffeln_cli.mail.addresses import addresses, is_address, problems
from staffeln_cli.mail.server import MailServer, Message, MessageRejected

__all__ = ["MailServer", "Message", "MessageRejected", "addresses", "is_address", "problems"]
