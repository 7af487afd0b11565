"""Which encoding a text file is in.

In: a file's bytes, decompressed. Out: a Python codec name.

UTF-8 is proved on the whole file; UTF-16 by its byte order mark. What is neither is Chinese
(GB 18030) if nearly all of its letters then lie in the everyday set of GB 2312, else Western
(Windows-1252, or Latin-1 where bytes occur that Windows does not define).
"""

import codecs
from pathlib import Path

from shopsynth.ingest._files import open_bytes, reading
from shopsynth.schema import SourceError

_CHUNK_BYTES = 4 << 20
_WINDOW_BYTES = 256 << 10
# A Chinese or Western text is valid UTF-8 for a few letters by chance, not for this many.
_PROVES_UTF8 = 20
_COMMON_SHARE = 0.9


def detect_encoding(file: Path) -> str:
    """Find the encoding of a text file.

    Raises:
        SourceError: If the file is binary, or UTF-8 with damaged places.
    """
    with reading(file.name), open_bytes(file) as stream:
        decoder = codecs.getincrementaldecoder("utf-8")()
        n_beyond_ascii = n_read = 0
        chunk = bytes(stream.read(_CHUNK_BYTES))
        if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        has_mark = chunk.startswith(codecs.BOM_UTF8)
        _refuse_binary(chunk, file)
        while chunk:
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode("utf-8")
                n_beyond_ascii += len(before.encode()) - len(before)
                if has_mark or n_beyond_ascii > _PROVES_UTF8:
                    raise SourceError(
                        f"{file.name}: expected UTF-8 throughout, byte {n_read + error.start:,} "
                        "and perhaps more are not; repair the file, or set `encoding`"
                    ) from error
                return _legacy_encoding(error.object[error.start :][:_WINDOW_BYTES])
            n_beyond_ascii += 0 if text.isascii() else len(text.encode()) - len(text)
            n_read += len(chunk)
            chunk = bytes(stream.read(_CHUNK_BYTES))
    return "utf-8"


def _refuse_binary(chunk: bytes, file: Path) -> None:
    if b"\x00" in chunk:
        raise SourceError(
            f"{file.name}: expected text, found binary data (NUL bytes); "
            "name a CSV, JSON lines, Parquet or database file"
        )


def _legacy_encoding(window: bytes) -> str:
    """Decide between Chinese and Western by how common the letters are."""
    text = window.decode("gb18030", errors="replace")
    beyond = [letter for letter in text if not letter.isascii()]
    if sum(_is_common_chinese(letter) for letter in beyond) >= _COMMON_SHARE * len(beyond):
        return "gb18030"
    try:
        window.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _is_common_chinese(letter: str) -> bool:
    try:
        letter.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
