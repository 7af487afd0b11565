"""Lines of a text file, in batches.

In: a text file, plain or compressed, in any usual encoding. Out: its lines, without their ends.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from shopsynth.ingest._encoding import detect_encoding
from shopsynth.ingest._files import open_bytes, reading
from shopsynth.schema import SourceError

_LONGEST_LINE = 1 << 24
"""Characters: sixteen times a text of a megabyte. Two compressed megabytes may unpack to one line
of gigabytes, which no memory holds."""

_BATCH_CHARACTERS = 1 << 24
"""A batch ends here, however few lines it has: 20,000 reviews of a megabyte do not fit either."""


def text_lines(file: Path, n_lines: int) -> Iterator[list[str]]:
    """Yield up to ``n_lines`` lines at a time, fewer if they are long: no file has to fit memory.

    Args:
        file: The file.
        n_lines: Most lines of a batch, at least 1.

    Raises:
        SourceError: If the file is empty, binary or cannot be read, or a line has more than 16
            million characters.
    """
    encoding = detect_encoding(file)
    with reading(file.name), open_bytes(file) as stream:
        text = io.TextIOWrapper(
            io.BufferedReader(stream),
            encoding="utf-8-sig" if encoding == "utf-8" else encoding,
            errors="replace",
        )
        n_read = 0
        while batch := _batch(text, n_lines, f"{file.name}: line", n_read):
            n_read += len(batch)
            yield batch


def _batch(text: TextIO, n_lines: int, what: str, n_read: int) -> list[str]:
    """Read the next lines; none at the end of the file."""
    batch: list[str] = []
    left = _BATCH_CHARACTERS
    while len(batch) < n_lines and left > 0 and (line := text.readline(_LONGEST_LINE + 1)):
        if len(line) > _LONGEST_LINE and not line.endswith("\n"):
            raise SourceError(
                f"{what} {n_read + len(batch) + 1}: expected at most {_LONGEST_LINE:,} characters, "
                "got more; cut the file into lines, or name the form that it has"
            )
        left -= len(line)
        batch.append(line.rstrip("\n"))
    return batch
