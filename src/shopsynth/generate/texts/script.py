"""script: Chinese in simplified characters becomes traditional, and the other way round.

In: texts. Out: the same in the other script; protected spans stay in theirs. Not for words that
differ between regions, unless the option says so.
"""

from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np

from shopsynth.generate.texts._pieces import Pieces, replaced_by
from shopsynth.generate.texts.base import Keeps, register
from shopsynth.schema import MissingExtraError, Settings
from shopsynth.text.characters import HAN, Characters

_CONVERSIONS = {
    "traditional": "s2t",
    "taiwan": "s2tw",
    "taiwan_words": "s2twp",
    "hong_kong": "s2hk",
    "simplified": "t2s",
}


class ScriptOptions(Settings):
    """Options of ``script``."""

    to: Literal["other", "traditional", "taiwan", "taiwan_words", "hong_kong", "simplified"] = (
        "other"
    )
    """The script to write in; ``other`` is simplified for a text that is traditional."""


@register("script")
class Script:
    """Convert by phrases where a character alone does not say which one is meant."""

    Options: ClassVar[type[Settings]] = ScriptOptions
    keeps: ClassVar[Keeps] = "in_place"

    def __init__(self, options: ScriptOptions) -> None:
        self.options = options
        _converter("t2s")

    def edit(self, pieces: Pieces, random: np.random.Generator) -> Characters:
        """Alter each text that has Chinese characters the other script writes otherwise."""
        texts = pieces.texts
        free = ((texts.flags & HAN) != 0) & ~pieces.protected
        edges = np.flatnonzero(np.diff(free, prepend=False, append=False)).reshape(-1, 2)
        start, stop = edges[:, 0], edges[:, 1]
        runs = texts.cut(start, stop)
        made = np.array(self._converted(runs, texts.text_of(start), texts.n_texts), np.object_)
        changed = np.flatnonzero(made != np.array(runs, np.object_))
        chosen = made[changed].tolist()
        return replaced_by(texts, start[changed], stop[changed], chosen)

    def _converted(self, runs: list[str], text: Any, n_texts: int) -> list[str]:
        if self.options.to != "other":
            return _convert(runs, _CONVERSIONS[self.options.to])
        # What the one conversion changes more is what the text is not written in.
        ways = [_convert(runs, name) for name in ("s2t", "t2s")]
        votes = [
            np.bincount(text, [a != b for a, b in zip(way, runs, strict=True)], n_texts)
            for way in ways
        ]
        simplify = (votes[1] > votes[0])[text].tolist()
        return [ways[second][place] for place, second in enumerate(simplify)]


def _convert(runs: list[str], name: str) -> list[str]:
    # All at once: runs hold Chinese characters alone, so a line feed parts them.
    return _converter(name).convert("\n".join(runs)).split("\n") if runs else []


@lru_cache(maxsize=8)
def _converter(name: str) -> Any:
    try:
        from opencc import OpenCC
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "augment_text.script: expected the library opencc, which is not installed; "
            "pip install 'shopsynth[text]', or take script off the edits"
        ) from error
    return OpenCC(name)
