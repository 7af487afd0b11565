"""How Chinese characters sound: which common ones sound alike, and how they are typed.

In: the readings of pypinyin. Out: tables over the Chinese characters. The library is loaded here
only, and once.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from shopsynth.schema import MissingExtraError
from shopsynth.text.characters import Codes, Integers

FIRST, LAST = 0x4E00, 0x9FFF
_FUZZY = (("zh", "z"), ("ch", "c"), ("sh", "s"))
_COMMON = range(0xB0, 0xD8)
"""Lead bytes of the 3,755 common characters of GB 2312, which people type by themselves."""


@dataclass(frozen=True)
class Sounds:
    """Readings of the characters from :data:`FIRST` to :data:`LAST`, their most usual ones.

    Attributes:
        alike: Common characters, those that sound alike behind each other.
        first: ``(n,)`` where those that sound like each character begin in ``alike``.
        count: ``(n,)`` how many there are, itself among them; 0 for one that is not common.
        place: ``(n,)`` where the character itself stands among them.
        letters: Readings without tones, behind each other.
        start: ``(n + 1,)`` where each character's reading begins in ``letters``.
    """

    alike: Codes
    first: Integers
    count: Integers
    place: Integers
    letters: Codes
    start: Integers


def common_characters() -> list[str]:
    """List the 3,755 common characters of GB 2312, level 1."""
    pairs = (bytes((lead, trail)) for lead in _COMMON for trail in range(0xA1, 0xFF))
    return [pair.decode("gb2312", "ignore") for pair in pairs if pair.decode("gb2312", "ignore")]


def need_pypinyin() -> None:
    """Load the library.

    Raises:
        MissingExtraError: If it is not installed.
    """
    try:
        import pypinyin  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "augment_text.pinyin: expected the library pypinyin, which is not installed; "
            "pip install 'shopsynth[text]', or take pinyin off the edits"
        ) from error


@lru_cache(maxsize=2)
def sounds(fuzzy: bool) -> Sounds:
    """Group characters by their sound.

    Args:
        fuzzy: zh, ch, sh sound like z, c, s, and final ng like n, as many speakers have it.
    """
    from pypinyin.constants import PINYIN_DICT

    n = LAST - FIRST + 1
    readings = [_plain(PINYIN_DICT.get(code, "")) for code in range(FIRST, LAST + 1)]
    groups: dict[str, list[int]] = {}
    for character in common_characters():
        sound = readings[ord(character) - FIRST]
        groups.setdefault(_fuzzy(sound) if fuzzy else sound, []).append(ord(character))
    first, count, place = (np.zeros(n, np.int64) for _ in range(3))
    alike: list[int] = []
    for _, members in sorted(groups.items()):
        here = np.array(members) - FIRST
        first[here], count[here], place[here] = len(alike), len(members), np.arange(len(members))
        alike += members
    lengths = np.fromiter(map(len, readings), np.int64, n)
    letters: NDArray[np.uint32] = np.frombuffer("".join(readings).encode("utf-32-le"), np.uint32)
    start = np.concatenate(([0], np.cumsum(lengths)))
    return Sounds(np.array(alike, np.uint32), first, count, place, letters, start)


def _plain(readings: str) -> str:
    """Return the first, most usual reading as it is typed: without tone, ü as v."""
    parts = unicodedata.normalize("NFD", readings.partition(",")[0]).replace("u\u0308", "v")
    return "".join(letter for letter in parts if letter.isascii())


def _fuzzy(sound: str) -> str:
    for full, short in _FUZZY:
        if sound.startswith(full):
            sound = short + sound[2:]
    return sound[:-1] if sound.endswith("ng") else sound
