"""Pictures without what cameras and editors write beside the pixels.

In: the bytes of a JPEG, PNG or WebP file. Out: the same picture without EXIF (place, time, serial
numbers, thumbnail), XMP, IPTC, comments and text; or the names of what it carries.

The pixels are not decoded: segments and chunks are left out, and what decides how the picture looks
(colour profile, orientation, transparency, animation) stays. Orientation is all that is kept of
EXIF, in an EXIF block of 26 bytes. Not for faces, plates or addresses that the picture shows.
"""

import struct
import zlib
from collections.abc import Iterator

from shopsynth.schema import SourceError

MAX_PIXELS = 64_000_000
"""Largest picture that is taken: a header of a few bytes can claim gigabytes (PRIVACY, §11)."""

_JPEG_KEPT_APPS = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
"""Segments that say how to read the pixels: JFIF, colour profile, Adobe's colour transform."""

_SOI, _EOI, _SOS, _COM, _APP1 = 0xD8, 0xD9, 0xDA, 0xFE, 0xE1
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PNG_SIGN = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB"}
    | {b"bKGD", b"pHYs", b"cICP", b"mDCV", b"cLLI", b"acTL", b"fcTL", b"fdAT"}
)
_WEBP_KEPT = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_WEBP_EXIF_FLAG, _WEBP_XMP_FLAG = 0x08, 0x04
_ORIENTATION = 0x0112
_GPS = 0x8825


def strip_metadata(data: bytes, *, max_pixels: int = MAX_PIXELS) -> bytes:
    """Leave out everything beside the picture itself.

    Args:
        data: A JPEG, PNG or WebP file.
        max_pixels: Width times height above which a picture is refused.

    Returns:
        The file without metadata; the compressed pixels are the same bytes.

    Raises:
        SourceError: If it is none of the three, damaged or too large.
    """
    kind = _kind(data)
    if kind == "JPEG":
        return _strip_jpeg(data, max_pixels)
    return _strip_png(data, max_pixels) if kind == "PNG" else _strip_webp(data, max_pixels)


def has_metadata(data: bytes, *, max_pixels: int = MAX_PIXELS) -> list[str]:
    """Name what a picture carries beside itself, sorted; ``[]`` after :func:`strip_metadata`.

    Args:
        data: A JPEG, PNG or WebP file.
        max_pixels: Width times height above which a picture is refused.

    Returns:
        Of ``"EXIF"``, ``"GPS"``, ``"XMP"``, ``"IPTC"``, ``"comment"``, ``"text"``, ``"trailer"``
        and ``"other"``. Orientation alone is not named: it says nothing about anybody.

    Raises:
        SourceError: If it is none of the three, damaged or too large.
    """
    kind = _kind(data)
    names: set[str] = set()
    if kind == "JPEG":
        for marker, body in _jpeg_segments(data, max_pixels):
            names |= _jpeg_names(marker, body)
        names |= {"trailer"} if _jpeg_end(data) < len(data) else set()
    elif kind == "PNG":
        for name, body in _png_chunks(data, max_pixels):
            names |= _exif_names(body) if name == b"eXIf" else _chunk_names(name, _PNG_KEPT)
        names |= {"trailer"} if _png_end(data) < len(data) else set()
    else:
        for name, body in _webp_chunks(data, max_pixels):
            is_exif = name == b"EXIF"
            names |= _exif_names(body) if is_exif else _chunk_names(name, _WEBP_KEPT)
        names |= {"trailer"} if _riff_size(data) < len(data) else set()
    return sorted(names)


def _kind(data: bytes) -> str:
    if data[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if data[:8] == _PNG_SIGN:
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    raise SourceError(
        "picture: expected JPEG, PNG or WebP, got other content; convert it, or leave it out"
    )


def _damaged(kind: str) -> SourceError:
    return SourceError(f"picture: expected a whole {kind} file, got a damaged one; export it again")


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise SourceError(
            f"picture: expected at most {max_pixels:,} pixels, got {width:,} x {height:,}; "
            "scale it down"
        )


def _jpeg_segments(data: bytes, max_pixels: int) -> Iterator[tuple[int, bytes]]:
    """Yield marker and body of every segment outside the compressed pixels.

    The last, with marker ``_SOS``, holds everything from the first scan to the end mark: scans of a
    progressive picture have tables between them, which belong to it.
    """
    place = 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            raise _damaged("JPEG")
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        if marker == _SOS:
            yield marker, data[place : _jpeg_end(data)]
            return
        (size,) = struct.unpack(">H", data[place + 2 : place + 4])
        body = data[place + 4 : place + 2 + size]
        if size < 2 or len(body) != size - 2:
            raise _damaged("JPEG")
        if marker in _FRAMES:
            if size < 8:
                raise _damaged("JPEG")
            height, width = struct.unpack(">HH", body[1:5])
            _check_size(width, height, max_pixels)
        yield marker, body
        place += 2 + size
    raise _damaged("JPEG")


def _jpeg_end(data: bytes) -> int:
    """Find the end of the picture: behind its end mark, walked to segment by segment."""
    place = 2
    while place + 4 <= len(data):
        marker = data[place + 1]
        if data[place] != 0xFF or marker == 0xFF:
            place += 1
        elif marker == _EOI:
            return place + 2
        elif marker == 0 or 0xD0 <= marker <= _SOI or marker == 0x01:
            place += 2
        else:
            place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
            if marker == _SOS:
                place = _after_scan(data, place)
    if data[place : place + 2] == b"\xff\xd9":
        return place + 2
    raise _damaged("JPEG")


def _after_scan(data: bytes, place: int) -> int:
    """Find the marker that ends a scan: 0xFF neither stuffed (00) nor a restart (D0 to D7)."""
    while True:
        place = data.find(b"\xff", place)
        if place < 0 or place + 1 >= len(data):
            raise _damaged("JPEG")
        if data[place + 1] != 0 and not 0xD0 <= data[place + 1] <= 0xD7:
            return place
        place += 2


def _strip_jpeg(data: bytes, max_pixels: int) -> bytes:
    pieces = [b"\xff\xd8"]
    orientation = 1
    for marker, body in _jpeg_segments(data, max_pixels):
        if marker == _SOS:
            # Behind the JFIF segment, where readers look for it.
            at = 2 if len(pieces) > 1 and pieces[1][1] == 0xE0 else 1
            if orientation != 1:
                pieces.insert(at, _segment(_APP1, b"Exif\0\0" + _oriented(orientation)))
            return b"".join([*pieces, _without_late_comments(body)])
        if marker == _APP1 and body.startswith(b"Exif\0\0"):
            orientation = _orientation(body[6:]) or orientation
        is_app = 0xE0 <= marker <= 0xEF
        is_kept = not is_app or body.startswith(_JPEG_KEPT_APPS.get(marker, b"\xff\xff\xff"))
        if is_kept and marker != _COM:
            # Of JFIF only the fixed 14 bytes: a thumbnail may follow them.
            kept = body[:12] + b"\0\0" if marker == 0xE0 else body
            pieces.append(_segment(marker, kept))
    raise _damaged("JPEG")


def _without_late_comments(scans: bytes) -> bytes:
    """Leave out segments of applications and comments between the scans."""
    pieces = []
    start = place = 0
    while place < len(scans) - 2:
        marker = scans[place + 1]
        size = 2 + int.from_bytes(scans[place + 2 : place + 4], "big")
        if marker == _COM or 0xE0 <= marker <= 0xEF:
            pieces.append(scans[start:place])
            start = place = place + size
        else:
            place += size
            if marker == _SOS:
                place = _after_scan(scans, place)
    return b"".join([*pieces, scans[start:]])


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _jpeg_names(marker: int, body: bytes) -> set[str]:
    if marker == _COM:
        return {"comment"}
    if not 0xE0 <= marker <= 0xEF:
        return set() if marker != _SOS or _without_late_comments(body) == body else {"comment"}
    if marker == _APP1 and body.startswith(b"Exif\0\0"):
        return _exif_names(body[6:])
    if marker == _APP1 and body.startswith(b"http://ns.adobe.com/"):
        return {"XMP"}
    if marker == 0xED:
        return {"IPTC"}
    is_kept = body.startswith(_JPEG_KEPT_APPS.get(marker, b"\xff\xff\xff"))
    has_thumbnail = marker == 0xE0 and body[12:14] not in (b"\0\0", b"")
    return {"other"} if not is_kept or has_thumbnail else set()


def _oriented(orientation: int) -> bytes:
    """Write an EXIF block that says which way is up and nothing else."""
    header = b"MM\0*" + struct.pack(">I", 8)
    return header + struct.pack(">HHHIHHI", 1, _ORIENTATION, 3, 1, orientation, 0, 0)


def _tags(exif: bytes) -> dict[int, int]:
    """Read the tags of the first directory with the first 16 bits of their values."""
    order = {b"MM": ">", b"II": "<"}.get(exif[:2])
    if order is None or len(exif) < 14:
        return {}
    (start,) = struct.unpack(order + "I", exif[4:8])
    if start + 2 > len(exif):
        return {}
    (n_tags,) = struct.unpack(order + "H", exif[start : start + 2])
    entries = [exif[place : place + 12] for place in range(start + 2, start + 2 + 12 * n_tags, 12)]
    whole = [entry for entry in entries if len(entry) == 12]
    return {
        struct.unpack(order + "H", entry[:2])[0]: struct.unpack(order + "H", entry[8:10])[0]
        for entry in whole
    }


def _orientation(exif: bytes) -> int | None:
    found = _tags(exif).get(_ORIENTATION)
    return found if found in range(1, 9) else None


def _exif_names(exif: bytes) -> set[str]:
    exif = exif.removeprefix(b"Exif\0\0")
    if exif == _oriented(_orientation(exif) or 1):
        return set()
    return {"EXIF", "GPS"} if _GPS in _tags(exif) else {"EXIF"}


def _chunk_names(name: bytes, kept: frozenset[bytes]) -> set[str]:
    named = {b"tEXt": "text", b"zTXt": "text", b"iTXt": "text", b"XMP ": "XMP", b"tIME": "other"}
    return set() if name in kept else {named.get(name, "other")}


def _png_chunks(data: bytes, max_pixels: int) -> Iterator[tuple[bytes, bytes]]:
    place = len(_PNG_SIGN)
    while place + 12 <= len(data):
        size, name = struct.unpack(">I4s", data[place : place + 8])
        body = data[place + 8 : place + 8 + size]
        if len(body) != size or place + 12 + size > len(data):
            raise _damaged("PNG")
        if name == b"IHDR":
            width, height = struct.unpack(">II", body[:8].ljust(8, b"\0"))
            _check_size(width, height, max_pixels)
        yield name, body
        place += 12 + size
        if name == b"IEND":
            return
    raise _damaged("PNG")


def _png_end(data: bytes) -> int:
    chunks = _png_chunks(data, MAX_PIXELS**2)
    return len(_PNG_SIGN) + sum(12 + len(body) for _, body in chunks)


def _strip_png(data: bytes, max_pixels: int) -> bytes:
    pieces = [_PNG_SIGN]
    for name, body in _png_chunks(data, max_pixels):
        if name == b"eXIf":
            orientation = _orientation(body.removeprefix(b"Exif\0\0")) or 1
            if orientation != 1:
                pieces.append(_png_chunk(name, _oriented(orientation)))
        elif name in _PNG_KEPT:
            pieces.append(_png_chunk(name, body))
    return b"".join(pieces)


def _png_chunk(name: bytes, body: bytes) -> bytes:
    check = zlib.crc32(name + body)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", check)


def _riff_size(data: bytes) -> int:
    return 8 + int.from_bytes(data[4:8], "little")


def _webp_chunks(data: bytes, max_pixels: int) -> Iterator[tuple[bytes, bytes]]:
    place, end = 12, _riff_size(data)
    if end > len(data) + 1 or end < 20:
        raise _damaged("WebP")
    while place + 8 <= end:
        name, size = struct.unpack("<4sI", data[place : place + 8])
        body = data[place + 8 : place + 8 + size]
        if len(body) != size:
            raise _damaged("WebP")
        _check_size(*_webp_size(name, body), max_pixels)
        yield name, body
        place += 8 + size + size % 2


def _webp_size(name: bytes, body: bytes) -> tuple[int, int]:
    """Read width and height from the chunks that tell them; 0 from others."""
    if name == b"VP8X" and len(body) >= 10:
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if name == b"VP8L" and len(body) >= 5:
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if name == b"VP8 " and len(body) >= 10:
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return 0, 0


def _strip_webp(data: bytes, max_pixels: int) -> bytes:
    pieces: list[bytes] = []
    for name, body in _webp_chunks(data, max_pixels):
        if name == b"EXIF":
            orientation = _orientation(body.removeprefix(b"Exif\0\0")) or 1
            if orientation == 1:
                continue
            body = _oriented(orientation)
        elif name not in _WEBP_KEPT:
            continue
        pieces.append(struct.pack("<4sI", name, len(body)) + body + b"\0" * (len(body) % 2))
    if pieces and pieces[0][:4] == b"VP8X":
        has_exif = any(piece[:4] == b"EXIF" for piece in pieces)
        gone = _WEBP_XMP_FLAG | (0 if has_exif else _WEBP_EXIF_FLAG)
        first = bytearray(pieces[0])
        first[8] &= ~gone & 0xFF
        pieces[0] = bytes(first)
    content = b"WEBP" + b"".join(pieces)
    return b"RIFF" + struct.pack("<I", len(content)) + content
