"""Sizes written another way with the same value: 1.5 L and 1500 ml, 15.6" and 15.6 inch.

In: one size as a string. Out: all other ways to write it that are exact. What may mean something
else is left alone: 5g may be a network, 2 in 1 no inches, 10 x 20 cm two lengths with one unit.
"""

import re
from decimal import Decimal
from functools import lru_cache

_FAMILIES: tuple[dict[str, int], ...] = (
    {"ml": 1, "cl": 10, "L": 1000},
    {"g": 1, "kg": 1000},
    {"mm": 1, "cm": 10, "m": 1000},
    {"毫升": 1, "升": 1000},
    {"克": 1, "公斤": 1000, "千克": 1000},
    {"毫米": 1, "厘米": 10, "米": 1000},
    {'"': 1, " inch": 1, "-inch": 1},
)
_SPELT = {"l": "L", "″": '"', "''": '"', "inch": " inch", "inches": " inch", "-inch": "-inch"}
_NEVER_MADE = frozenset({"cl"})
"""Read, but not written: few shops have it."""

_LENGTHS = frozenset({"mm", "cm", "m", "毫米", "厘米", "米", '"', " inch", "-inch"})
_FORM = re.compile(
    r"(?<![\w.,/–~+-])(?P<number>\d{1,6}(?:\.\d{1,4})?)(?P<gap> ?|-)"
    r"(?P<unit>(?:ml|cl|l|kg|g|mm|cm|m|inch|inches)(?![^\W_]|[²³/^])|\"(?![\w\"])|″|''"
    r"|毫升|升|公斤|千克|克|毫米|厘米|米)(?![²³/^])",
    re.IGNORECASE,
)
_FACTOR_BEFORE = re.compile(r"(?:[x×*]|by) ?\Z", re.IGNORECASE)
_FACTOR_BEHIND = re.compile(r"\A ?(?:[x×*/]|by\b)", re.IGNORECASE)
_LEAST, _MOST = Decimal("0.05"), Decimal(100_000)


@lru_cache(maxsize=1 << 16)
def rewritten(size: str) -> tuple[str, ...]:
    """List the other ways to write a size.

    Args:
        size: A protected span; only its first size is rewritten.

    Example:
        >>> rewritten("2 x 1.5L"), rewritten("500毫升"), rewritten("5g"), rewritten("10 x 20 cm")
        (('2 x 1500ml',), ('0.5升',), (), ())
    """
    found = _FORM.search(size)
    if found is None:
        return ()
    written = found["unit"]
    unit = _SPELT.get(written.lower(), written if written in _LENGTHS else written.lower())
    head, tail = size[: found.start()], size[found.end() :]
    if _ambiguous(unit, written, Decimal(found["number"]), found["gap"]) or (
        unit in _LENGTHS and (_FACTOR_BEFORE.search(head) or _FACTOR_BEHIND.search(tail))
    ):
        return ()
    family = next(members for members in _FAMILIES if unit in members)
    value = Decimal(found["number"]) * family[unit]
    ways = []
    for other, factor in family.items():
        number = value / factor
        # Nobody writes 0.15 m for 150 mm, though all do 1.5 L for 1500 ml.
        far = unit in _LENGTHS and max(factor, family[unit]) > 100 * min(factor, family[unit])
        if other == unit or other in _NEVER_MADE or far or not _LEAST <= number < _MOST:
            continue
        gap = "" if '"' in (unit, other) or other[0] in " -" else found["gap"]
        shouted = written.isupper() and len(written) > 1
        ways.append(f"{head}{_plain(number)}{gap}{other.upper() if shouted else other}{tail}")
    return tuple(ways)


def _ambiguous(unit: str, written: str, number: Decimal, gap: str) -> bool:
    """Tell what looks like a size and may be none: 5G, 10M, 3m (the brand), 4-g."""
    if written in ("G", "M") or (unit == "m" and number == 3):
        return True
    network = unit == "g" and number == number.to_integral_value() and number < 10
    return network or (unit != "-inch" and gap == "-" and written.lower() not in ("inch", "inches"))


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
