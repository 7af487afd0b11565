"""Copies of texts: long runs of words or Hanzi that come back.

In: texts of all three sides. Out: what was found, and canary texts that were extracted.

Thirteen words or twenty Hanzi in a row are beyond chance in most texts (PRIVACY §6), and phrases
that everybody writes are found in held-out texts as well.
"""

import numpy as np
import polars as pl

from shopsynth.evaluate.attacks.chance import Found, draw
from shopsynth.evaluate.attacks.people import Sides

N_WORDS = 13
N_HANZI = 20

_KINDS = ((r"[[\p{L}\p{N}]--\p{Han}]+", N_WORDS), (r"\p{Han}", N_HANZI))
"""Words of every script but Hanzi, and Hanzi one by one: what stands between does not count."""

_PHRASE = 3

N_TEXTS = 50_000
"""Texts a side that are asked about; all of the release are searched."""


def copied_texts(texts: Sides) -> Found:
    """Find texts of which any run of 13 words or 20 Hanzi stands in the release.

    Runs that three or more real texts hold are phrases, and are not asked about.

    Args:
        texts: Frames with a column ``text``. Texts too short for one run are not asked about.
    """
    train, heldout = (
        _windows(normalised(each["text"][draw(each.height, N_TEXTS, f"texts {number}")]))
        for number, each in enumerate((texts.train, texts.heldout))
    )
    made = normalised(texts.synthetic["text"])
    released = _windows(made)["window"].unique()
    holders = pl.concat([train.unique(), heldout.unique()]).group_by("window").len("holders")
    phrases = holders.filter(pl.col("holders") >= _PHRASE)["window"]
    twice = train.unique().group_by("window").len("holders").filter(pl.col("holders") > 1)
    found, elsewhere = [], []
    for every, others in ((train, twice["window"]), (heldout, train["window"].unique())):
        windows = every.filter(~pl.col("window").is_in(phrases.implode()))
        asked = windows["text"].unique().sort()
        found.append(_holding(windows, released, asked))
        elsewhere.append(_holding(windows, others, asked))
    scale = max(1.0, made.len() / max(texts.train.height, 1))
    return Found.count((found[0], found[1]), (elsewhere[0], elsewhere[1]), scale)


def normalised(texts: pl.Series) -> pl.Series:
    """Bring texts to NFKC and lower case, nulls left out."""
    return texts.drop_nulls().str.normalize("NFKC").str.to_lowercase()


def extracted(canaries: pl.Series, released: pl.Series) -> int:
    """Count canary texts of which the release holds the whole, or any long run.

    A canary is random, so that one of them is no chance. Case, width and spaces do not count.

    Args:
        canaries: Texts that were planted among the train texts.
        released: Texts to be released.

    Example:
        >>> planted = pl.Series(["Blue vase 71 owl", "grey lamp 53 fox"])
        >>> extracted(planted, pl.Series(["I love it! blue  VASE 71 owl, really"]))
        1
    """
    planted, there = normalised(canaries).unique().sort(), normalised(released)
    if not planted.len() or not there.len():
        return 0
    packed = planted.str.replace_all(r"\s+", "")
    hits = there.str.replace_all(r"\s+", "").str.extract_many(
        packed.filter(packed.str.len_chars() > 0).implode(), overlapping=True
    )
    whole = packed.is_in(hits.explode().drop_nulls().unique().implode()).to_numpy()
    windows = _windows(planted)
    numbers = pl.Series(np.arange(planted.len()))
    in_runs = _holding(windows, _windows(there)["window"].unique(), numbers)
    return int((whole | in_runs).sum())


def _windows(texts: pl.Series) -> pl.DataFrame:
    """List every run of 13 words or 20 Hanzi: columns ``text`` (number) and ``window``."""
    numbered = pl.DataFrame({"text": np.arange(texts.len()), "words": texts})
    frames = []
    for pattern, length in _KINDS:
        tokens = numbered.select("text", pl.col("words").str.extract_all(pattern))
        long = tokens.filter(pl.col("words").list.len() >= length)
        flat = long.explode("words")
        text = flat["text"].to_numpy()
        if not text.size:
            continue
        words = [flat["words"].shift(-step) for step in range(length)]
        inside = np.flatnonzero(text[length - 1 :] == text[: text.size - length + 1])
        window = pl.DataFrame({f"w{n}": word for n, word in enumerate(words)})[inside]
        frames.append(
            pl.DataFrame(
                {
                    "text": text[inside],
                    "window": window.select(pl.concat_str(pl.all(), separator=" ")).to_series(),
                }
            )
        )
    empty = pl.DataFrame(schema={"text": pl.Int64, "window": pl.String})
    return pl.concat([empty, *frames])


def _holding(windows: pl.DataFrame, wanted: pl.Series, asked: pl.Series) -> np.ndarray:
    hit = windows.filter(pl.col("window").is_in(wanted.implode()))["text"].unique()
    return asked.is_in(hit.implode()).to_numpy()
