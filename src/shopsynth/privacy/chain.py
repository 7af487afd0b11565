"""Chain: an append-only file whose every line seals the one before, and its head kept elsewhere.

In: events of one source, and a key. Out: the events back, or a refusal if a line was changed, taken
away, added by somebody without the key, or belongs to another source.

Lines go to the file first, then the head moves. So a process that dies in between leaves one of
two states that nothing else leaves, and both are healed: a last line without its end, which nobody
was told about and is dropped; or a whole line more than the head knows, which counts.
"""

import hmac
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shopsynth.schema import PrivacyError

Line = dict[str, Any]

GENESIS = "0" * 64
"""What the first line seals."""

_DOMAIN = b"shopsynth ledger chain"
"""Keeps these hashes apart from pseudonyms, which are made with the same key."""


class Chain:
    """The lines of one source. Whoever reads or appends holds the ledger's lock.

    Args:
        path: The file of lines, JSON each.
        head: Where sequence number and hash of the last line are kept.
        source: Id that every line carries.
        key: The pseudonym key; without it no line can be made.
    """

    def __init__(self, path: Path, head: Path, source: str, key: bytes) -> None:
        self.path = path
        self.head = head
        self.source = source
        self._key = hmac.digest(key, _DOMAIN, "sha256")

    def read(self) -> list[Line]:
        """Return all lines, oldest first, after healing what a crash may have left.

        Raises:
            PrivacyError: If file and head do not tell the same story.
        """
        known, expected = self._read_head()
        whole, torn = self._read_file()
        lines = [self._checked(text, number) for number, text in enumerate(whole, start=1)]
        for before, line in zip([{"hash": GENESIS}, *lines], lines, strict=False):
            if line["previous"] != before["hash"]:
                raise self._refusal(f"line {line['sequence']} does not follow the one before it")
        at_head = lines[known - 1]["hash"] if 0 < known <= len(lines) else GENESIS
        if known == -1 and (lines or torn):
            raise self._refusal(f"{len(lines)} lines without the head that is kept at {self.head}")
        if known > len(lines):
            raise self._refusal(f"{len(lines)} lines, but the head at {self.head} knows {known}")
        if known >= 0 and at_head != expected:
            raise self._refusal(f"line {known} is not the one that the head at {self.head} knows")
        if known >= 0 and len(lines) > known + 1 - bool(torn):
            raise self._refusal(f"more lines than the head at {self.head} can have missed")
        if torn:
            os.truncate(self.path, self.path.stat().st_size - len(torn))
        if lines and known < len(lines):
            self._write_head(len(lines), lines[-1]["hash"])
        return lines

    def append(self, lines: list[Line], event: str, facts: Mapping[str, Any]) -> Line:
        """Seal an event after ``lines``, which :meth:`read` has just returned, and keep it."""
        if not lines:  # The head comes first, so lines without a head are never a crash.
            self._write_head(0, GENESIS)
        line = {
            **facts,
            "event": event,
            "sequence": len(lines) + 1,
            "previous": lines[-1]["hash"] if lines else GENESIS,
            "source": self.source,
        }
        line["hash"] = self._seal(line)
        _append(self.path, (_canonical(line) + "\n").encode())
        self._write_head(line["sequence"], line["hash"])
        return line

    def _checked(self, text: bytes, number: int) -> Line:
        try:
            line = json.loads(text)
            sealed = self._seal({name: value for name, value in line.items() if name != "hash"})
            authentic = hmac.compare_digest(sealed, str(line["hash"]))
        except (ValueError, KeyError, AttributeError):
            authentic = False
        if not authentic:
            raise self._refusal(f"line {number} was edited, or made with another key")
        if line["source"] != self.source:
            raise self._refusal(f"line {number} belongs to another source")
        if line["sequence"] != number:
            raise self._refusal(f"line {number} says that it is line {line['sequence']}")
        return dict(line)

    def _seal(self, line: Mapping[str, Any]) -> str:
        return hmac.digest(self._key, _canonical(line).encode(), "sha256").hex()

    def _read_file(self) -> tuple[list[bytes], bytes]:
        try:
            *whole, torn = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return [], b""
        return whole, torn

    def _read_head(self) -> tuple[int, str]:
        """Return sequence number and hash of the head; -1 if there is none."""
        try:
            head = json.loads(self.head.read_text(encoding="utf-8"))
            return int(head["sequence"]), str(head["hash"])
        except FileNotFoundError:
            return -1, ""
        except (ValueError, KeyError, TypeError) as error:
            raise self._refusal(f"the head at {self.head} cannot be read") from error

    def _write_head(self, sequence: int, sealed: str) -> None:
        """Replace the head; a reader sees the old one or the new one, never a part."""
        draft = self.head.with_suffix(".draft")  # Under the lock there is one writer.
        draft.unlink(missing_ok=True)
        _append(draft, json.dumps({"sequence": sequence, "hash": sealed}).encode())
        draft.replace(self.head)
        sync_folder(self.head.parent)

    def _refusal(self, what: str) -> PrivacyError:
        return PrivacyError(
            f"ledger {self.path}: expected the unbroken record of one source, got {what}; "
            "nothing may be spent on a record that cannot be trusted: name the folder that the "
            "record lies in, or put folder and heads back from one backup; if there is none, count "
            "the source's budget as spent"
        )


def _canonical(line: Mapping[str, Any]) -> str:
    return json.dumps(line, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _append(path: Path, data: bytes) -> None:
    """Add bytes to a file of its owner's alone, and return when the disk has them."""
    is_new = not path.exists()
    handle = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        while data:
            data = data[os.write(handle, data) :]
        os.fsync(handle)
    finally:
        os.close(handle)
    if is_new:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names in a folder last, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
