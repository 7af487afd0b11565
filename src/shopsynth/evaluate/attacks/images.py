"""Near-duplicate images: released pictures that are training pictures, scaled or re-encoded.

In: images of all three sides, as paths or bytes. Out: how many train and held-out images have a
near duplicate in the release.

The hash is a difference hash: each of 8 x 8 cells of a small grey picture says whether it is
darker than its neighbour. It survives scaling, encoding and changes of brightness, not crops,
turns or mirrors.
"""

from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl

from shopsynth.evaluate.attacks.chance import Found, draw
from shopsynth.evaluate.attacks.people import Sides
from shopsynth.schema import MissingExtraError, SourceError

_SIDE = 8
_MAX_BITS = 5
"""Of 64: pairs of unrelated pictures differ in 32 on average; 5 keeps chance below 1e-11 a pair."""

_N_IMAGES = 5_000
"""Images a side that are asked about."""

_CELLS = 20_000_000


def near_duplicate_images(images: Sides) -> Found:
    """Find train and held-out images in the release.

    Args:
        images: Frames with a column ``image``, paths or bytes.

    Raises:
        MissingExtraError: If Pillow is not installed.
        SourceError: If a picture cannot be read.
    """
    train, heldout = (
        _hashes(each["image"][draw(each.height, _N_IMAGES, f"images {number}")])
        for number, each in enumerate((images.train, images.heldout))
    )
    made = _hashes(images.synthetic["image"])
    own = np.arange(train.size)
    return Found.count(
        (_near(train, made), _near(heldout, made)),
        (_near(train, train, own), _near(heldout, train)),
        max(1.0, made.size / max(train.size, 1)),
    )


def difference_hash(picture: bytes | str) -> int:
    """Hash one picture, given as its path or its bytes, to 64 bits.

    Raises:
        MissingExtraError: If Pillow is not installed.
        SourceError: If the picture cannot be read.
    """
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise MissingExtraError(
            "images are compared with Pillow: pip install 'shopsynth[images]'"
        ) from error
    source = BytesIO(picture) if isinstance(picture, bytes) else Path(picture)
    try:
        with Image.open(source) as opened:
            small = opened.convert("L").resize((_SIDE + 1, _SIDE), Image.Resampling.LANCZOS)
    except (UnidentifiedImageError, OSError) as error:
        raise SourceError(
            f"audit of images: expected a picture, got {type(error).__name__}; "
            "leave out what is none"
        ) from error
    grey = np.asarray(small, dtype=np.int16)
    return int.from_bytes(np.packbits(grey[:, 1:] > grey[:, :-1]).tobytes(), "big")


def _hashes(pictures: pl.Series) -> np.ndarray:
    return np.array([difference_hash(each) for each in pictures.drop_nulls()], dtype=np.uint64)


def _near(asked: np.ndarray, known: np.ndarray, own: np.ndarray | None = None) -> np.ndarray:
    """Say which asked hashes differ from a known one in at most five bits; not from its own."""
    found = np.zeros(asked.size, dtype=bool)
    if not known.size:
        return found
    step = max(1, _CELLS // known.size)
    for first in range(0, asked.size, step):
        rows = slice(first, first + step)
        near = np.bitwise_count(asked[rows, None] ^ known[None, :]) <= _MAX_BITS
        if own is not None:
            near[np.arange(len(near)), own[rows]] = False
        found[rows] = near.any(axis=1)
    return found
