"""What the command line needs of mail and webhooks, which it never sends itself."""

from connectors.mail import is_mail_address
from connectors.webhooks import new_webhook_secret

__all__ = ["is_mail_address", "new_webhook_secret"]
