"""Redaction: what is kept in manifests and logs instead of secrets.

In: JSON-ready settings. Out: the same without passwords in URLs.
"""

import re
from typing import Any

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


def redacted(value: Any) -> Any:
    """Replace the user and password of every URL inside nested settings.

    Example:
        >>> redacted({"path": "postgresql://ann:secret@host/shop"})
        {'path': 'postgresql://***@host/shop'}
    """
    if isinstance(value, str):
        return _CREDENTIALS.sub("***@", value)
    if isinstance(value, dict):
        return {key: redacted(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(inner) for inner in value]
    return value
