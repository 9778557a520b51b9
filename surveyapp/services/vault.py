"""Encrypts secrets that must be read again (a partner's, a second factor's). Knows nothing of what they open."""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app


class SecretUnreadable(Exception):
    """The secret was encrypted under a key that is in neither SECRET_KEY nor SECRET_KEY_FALLBACKS."""


def seal(secret: str) -> str:
    """The secret encrypted under a key derived from SECRET_KEY, as printable text."""
    return _box().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """The secret of `seal`, also when SECRET_KEY has been rotated since. Raises SecretUnreadable."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken as reason:
        raise SecretUnreadable("encrypted under another SECRET_KEY") from reason


def _box() -> MultiFernet:
    keys = [current_app.config["SECRET_KEY"], *current_app.config["SECRET_KEY_FALLBACKS"]]
    return MultiFernet([_fernet(key) for key in keys])


@lru_cache(maxsize=8)
def _fernet(key: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"surveyapp vault").derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
