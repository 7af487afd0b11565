"""What a Chinese text is cheapest read as: words of a dictionary, or names of people.

In: a run of Chinese characters and what speaks for a name at each place. Out: the names.

A word costs the negative logarithm of its share in a large corpus, a name that of its surname and
of its characters as first, second or only one of a given name, plus a fee that falls where the
context speaks of people. The cheapest reading of the whole run is found by dynamic programming
(Viterbi 1967), in time linear in the run.

Source: the word lattice with a name model of Zhang et al., "Chinese lexical analysis using
hierarchical hidden Markov model" (2003), here with one class.
"""

import gzip
import math
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import NamedTuple

from shopsynth.privacy.pii.lexicon_zh import (
    COMMON_SURNAMES,
    COMPOUND_SURNAMES,
    GIVEN,
    NEVER_GIVEN,
    SURNAMES,
    WORDS,
)

LONGEST = 4
"""Characters of the longest word and of the longest name."""

_COMPOUND = frozenset(COMPOUND_SURNAMES.split("|"))
_COMPOUND_COST = 5.5
_SIZE_COST = 0.5
_WORD_COST = 9.5
"""Cost of a word of our own list: that of one in some ten thousand."""

_UNSEEN = 3000
"""Added to the counts of characters, so that one never seen in a name still may be in one."""

_CHOSEN = 12
"""Least count of a character that parents choose today; a guess, as no newer counts are free."""

_DOUBLED = 1.5
"""Cost of saying a character twice ("圆圆"); chosen by hand on the labelled set (docs/pii.md)."""

Fee = Callable[[int, int], float]
"""What a name from one place to another costs; infinite if it is none."""


class _Tables(NamedTuple):
    words: dict[str, float]
    unknown: float
    surname: dict[str, float]
    first: dict[str, float]
    second: dict[str, float]
    only: dict[str, float]
    rarest: tuple[float, float, float]


def _lines(name: str) -> list[str]:
    file = resources.files(__package__).joinpath(name)
    data = file.read_bytes()
    text = gzip.decompress(data) if name.endswith(".gz") else data
    return [line for line in text.decode("utf-8").splitlines() if not line.startswith("#")]


@cache
def _tables() -> _Tables:
    """Read counts and turn them into costs, once."""
    counts = {word: int(n) for word, n in (line.split() for line in _lines("words_zh.txt.gz"))}
    total = math.log(sum(counts.values()))
    words = {word: total - math.log(n) for word, n in counts.items()}
    words |= {word: min(words.get(word, _WORD_COST), _WORD_COST) for word in WORDS}
    rows = [line.split() for line in _lines("name_characters_zh.txt")]
    columns = {character: tuple(map(int, numbers)) for character, *numbers in rows}
    for character in GIVEN:
        surname_n, *given_n = columns.get(character, (0, 0, 0, 0))
        columns[character] = (surname_n, *(max(n, _CHOSEN) for n in given_n))
    sums = [sum(row[place] for row in columns.values()) for place in range(4)]

    def costs(place: int, more: int | None = None) -> tuple[dict[str, float], float]:
        """Cost of each character at a place; a single one may also be what is last of two."""
        n = sums[place] + _UNSEEN + (sums[more] if more is not None else 0)
        seen = {
            character: -math.log(
                (row[place] + (0.7 * row[more] if more is not None else 0) + 0.5) / n
            )
            for character, row in columns.items()
        }
        return seen, -math.log(0.5 / n)

    surname, _ = costs(0)
    (first, rare_1), (second, rare_2), (only, rare_3) = costs(1), costs(2), costs(3, more=2)
    return _Tables(
        words,
        total + 1,
        {each: surname.get(each, 9.0) for each in SURNAMES},
        first,
        second,
        only,
        (rare_1, rare_2, rare_3),
    )


def given_cost(given: str) -> float:
    """Cost of one or two characters as a given name."""
    tables = _tables()
    if not NEVER_GIVEN.isdisjoint(given):
        return math.inf
    if len(given) == 1:
        return tables.only.get(given, tables.rarest[2])
    first = tables.first.get(given[0], tables.rarest[0])
    if given[0] == given[1]:
        return first + _DOUBLED
    return first + tables.second.get(given[1], tables.rarest[1])


def name_cost(name: str) -> float | None:
    """Cost of a whole name; ``None`` if it does not begin with a surname.

    Example:
        >>> name_cost("张伟") < name_cost("张的")
        True
    """
    if name[:2] in _COMPOUND and len(name) > 2:
        return _COMPOUND_COST + _SIZE_COST + given_cost(name[2:])
    surname = _tables().surname.get(name[0])
    if surname is None or len(name) > 3:
        return None
    return surname + (_SIZE_COST + given_cost(name[1:]) if len(name) > 1 else 0)


def nick_cost(name: str) -> float | None:
    """Cost of a surname after 小, 老 or 阿; ``None`` if it is none."""
    if len(name) != 2 or name[0] not in "小老阿大" or name[1] not in COMMON_SURNAMES:
        return None
    return _tables().surname[name[1]] + 3.0


def cheapest_names(run: str, fee: Fee, *, anywhere: bool = False) -> list[tuple[int, int]]:
    """Read a run of Chinese characters and return the places of its names.

    Args:
        run: Chinese characters only.
        fee: What each name costs.
        anywhere: Ask for the fee at every character, not only where a surname may be.
    """
    names, _ = _reading(run, fee, anywhere=anywhere)
    return names


def first_name(run: str, most: float) -> int | None:
    """Find the end of the name that a run begins with, as a plain cue before it promises.

    Args:
        run: Chinese characters only.
        most: What the reading with a name may cost more than the one without.
    """
    options = []
    for end in range(2, min(LONGEST, len(run)) + 1):
        cost = name_cost(run[:end])
        if cost is not None:
            options.append((cost + _reading(run[end:], _no_name)[1], end))
    if not options or min(options)[0] > _reading(run, _no_name)[1] + most:
        return None
    return min(options)[1]


def _no_name(first: int, last: int) -> float:
    return math.inf


def _reading(run: str, fee: Fee, *, anywhere: bool = False) -> tuple[list[tuple[int, int]], float]:
    """Return the names of the cheapest reading, and what it costs."""
    tables = _tables()
    n = len(run)
    best = [0.0] + [math.inf] * n
    back: list[tuple[int, bool]] = [(0, False)] * (n + 1)
    for start in range(n):
        here = best[start]
        for size in range(1, min(LONGEST, n - start) + 1):
            end = start + size
            cost = tables.words.get(run[start:end])
            if cost is None and size == 1:
                cost = tables.unknown
            if cost is not None and here + cost < best[end]:
                best[end], back[end] = here + cost, (start, False)
            if anywhere or run[start] in _FIRST:
                price = here + fee(start, end)
                if price < best[end]:
                    best[end], back[end] = price, (start, True)
    names = []
    place = n
    while place:
        start, is_name = back[place]
        if is_name:
            names.append((start, place))
        place = start
    return names[::-1], best[n]


_FIRST = SURNAMES | {surname[0] for surname in _COMPOUND} | frozenset("小老阿大")
