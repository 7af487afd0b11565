"""Code hash: which code drew the noise and bounded the sensitivity, for the ledger.

In: the source files of noise and mechanisms. Out: one hash; proofs are about this code.
"""

import hashlib
from functools import cache
from pathlib import Path


@cache
def code_hash() -> str:
    """Hash the source files of noise, bounds and mechanisms.

    Example:
        >>> len(code_hash())
        64
    """
    room = Path(__file__).parent
    digest = hashlib.sha256()
    mechanisms = sorted((room / "mechanisms").glob("*.py"))
    for file in (room / "bounds.py", room / "noise.py", *mechanisms):
        code = file.read_bytes()
        digest.update(f"{file.name}\x00{len(code)}\x00".encode() + code)
    return digest.hexdigest()
