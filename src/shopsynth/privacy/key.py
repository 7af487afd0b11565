"""The secret behind the pseudonyms: read from the environment, or made once in the user's folder.

In: the name of an environment variable. Out: key bytes, which never reach a workspace or a log.

As long as the key exists the pseudonyms can be traced back, so the data stay personal.
"""

import hmac
import os
import secrets
from pathlib import Path

from shopsynth.privacy.settings import PrivacySettings
from shopsynth.schema import PrivacyError

_MIN_KEY_BYTES = 16
"""128 bits, below which HMAC-SHA-256 can be searched (NIST SP 800-107r1, section 5.3.4: 112)."""

_NEW_KEY_BYTES = 32
_OTHERS_MAY_READ = 0o077


def load_key(settings: PrivacySettings) -> bytes:
    """Return the pseudonym key: ``settings.key_env`` if it is set, else the user's key file.

    The file is ``shopsynth/pseudonym.key`` below ``$XDG_CONFIG_HOME`` (or ``~/.config``). It is
    made on first use, readable by its owner alone; of several processes that make it at the same
    moment one wins and all return its key.

    Args:
        settings: The recipe's ``[privacy]`` block.

    Raises:
        PrivacyError: If the key is too short, others can read the file, or it cannot be kept.
    """
    given = os.environ.get(settings.key_env)
    if given is not None:
        return _checked(given, f"environment variable {settings.key_env}")
    path = _key_path()
    try:
        if not path.exists():
            _make(path)
        _refuse_shared(path)
        return _checked(path.read_text(encoding="utf-8"), f"key file {path}")
    except PrivacyError:  # An OSError too, but one that already says what to do.
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise PrivacyError(
            f"key file {path}: expected to read it, or to make it, got {type(error).__name__}; "
            f"set the environment variable {settings.key_env} instead"
        ) from error


def check_key(key: bytes, where: str) -> None:
    """Refuse a key that can be guessed.

    Raises:
        PrivacyError: If it has fewer than 16 bytes; ``where`` says whose key it is.
    """
    if len(key) < _MIN_KEY_BYTES:
        raise PrivacyError(
            f"{where}: expected a key of at least {_MIN_KEY_BYTES} bytes, got {len(key)}; "
            "a short key can be guessed, take 32 random bytes in hexadecimal"
        )


def key_id(key: bytes) -> str:
    """Name a key without telling it: equal keys have equal names.

    Example:
        >>> key_id(b"one key of many bytes") == key_id(b"another key of bytes")
        False
    """
    return hmac.digest(key, b"shopsynth key id", "sha256").hex()[:16]


def _key_path() -> Path:
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "shopsynth" / "pseudonym.key"


def _make(path: Path) -> None:
    """Write a new key beside its place and link it there: it appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(secrets.token_hex(_NEW_KEY_BYTES) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        return  # Another process was first; its key is the key.
    finally:
        draft.unlink()


def _refuse_shared(path: Path) -> None:
    if os.name == "posix" and path.stat().st_mode & _OTHERS_MAY_READ:
        raise PrivacyError(
            f"key file {path}: expected that only its owner can read it, got wider permissions; "
            "run chmod 600 on it, or make a new key if others may have read it"
        )


def _checked(text: str, where: str) -> bytes:
    key = text.strip().encode()
    check_key(key, where)
    return key
