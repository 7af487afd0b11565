"""Redaction: what is kept in manifests and logs instead of secrets.

In: JSON-ready settings. Out: the same without logins in URLs.
"""

import re
from typing import Any

_LOGIN = re.compile(r"(?<=://)[^\s?#]*@")
"""Everything up to the last @ before the options: passwords may hold a slash or an @."""

_SECRET_OPTION = re.compile(
    r"(?i)([?&;](?:[a-z_-]*(?:password|passwd|pwd|secret|token|key|credential)[a-z_-]*|user)=)"
    r"[^&;#\s]*"
)


def redacted(value: Any) -> Any:
    """Replace user, password and secret options of every URL inside nested settings.

    Example:
        >>> redacted({"path": "postgresql://ann:secret@host/shop"})
        {'path': 'postgresql://***@host/shop'}
    """
    if isinstance(value, str):
        return _SECRET_OPTION.sub(r"\1***", _LOGIN.sub("***@", value))
    if isinstance(value, dict):
        return {key: redacted(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(inner) for inner in value]
    return value
