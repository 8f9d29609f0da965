"""Secrets at rest: sealed with a key that is not in the database."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class SealBroken(Exception):  # noqa: N818 - it names what happened, as the reader meets it
    """A sealed value was made under another secret key, or was changed."""


class SecretBox:
    """Seals and opens short texts with a key derived from the installation's secret key."""

    def __init__(self, secret_key: str) -> None:
        derived = HKDF(
            algorithm=hashes.SHA256(), length=32, salt=None, info=b"waymark secrets at rest"
        ).derive(secret_key.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def seal(self, text: str) -> str:
        """The text, encrypted and authenticated."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text that was sealed.

        Raises:
            SealBroken: It was sealed under another key or changed since.
        """
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise SealBroken(
                "A stored secret cannot be opened: WAYMARK_SECRET_KEY is not the one it was "
                "sealed with. Set the former key again, or enter the platform's token anew."
            ) from error
