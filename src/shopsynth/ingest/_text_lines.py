"""Lines of a text file, in batches.

In: a text file, plain or compressed, in any usual encoding. Out: its lines, without their ends.
"""

import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from shopsynth.ingest._encoding import detect_encoding
from shopsynth.ingest._files import open_bytes, reading


def text_lines(file: Path, n_lines: int) -> Iterator[list[str]]:
    """Yield up to ``n_lines`` lines at a time, so that no file has to fit into memory.

    Args:
        file: The file.
        n_lines: Most lines of a batch, at least 1.

    Raises:
        SourceError: If the file is empty, binary or cannot be read.
    """
    encoding = detect_encoding(file)
    with reading(file.name), open_bytes(file) as stream:
        text = io.TextIOWrapper(
            io.BufferedReader(stream),
            encoding="utf-8-sig" if encoding == "utf-8" else encoding,
            errors="replace",
        )
        while batch := list(islice(text, n_lines)):
            yield [line.rstrip("\n") for line in batch]
