"""Numbers with the digits that a reader needs, and a dash where there is none.

In: floats, possibly missing or not a number. Out: short strings. The minus sign is typographic and
sits beside a no-break space before units, so that figures never break over a line.
"""

import math

MISSING = "–"
_MINUS = "\N{MINUS SIGN}"
_NARROW = "\N{NARROW NO-BREAK SPACE}"


def is_number(value: float | None) -> bool:
    """Say whether there is a finite value."""
    return value is not None and math.isfinite(value)


def score(value: float | None) -> str:
    """Write a metric's value with four decimals.

    Example:
        >>> score(0.05034), score(float("nan"))
        ('0.0503', '–')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:.4f}".replace("-", _MINUS)


def signed(value: float | None) -> str:
    """Write a difference of a metric, with its sign and four decimals.

    Example:
        >>> signed(0.00312)
        '+0.0031'
    """
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:+.4f}".replace("-", _MINUS)


def percent(value: float | None, *, sign: bool = True) -> str:
    """Write a share as a percentage with one decimal, none from 100 % on.

    Args:
        value: A share, 0.062 for 6.2 %.
        sign: Whether a plus sign is written.

    Example:
        >>> percent(0.0621) == "+6.2\N{NARROW NO-BREAK SPACE}%"
        True
    """
    if value is None or not math.isfinite(value):
        return MISSING
    digits = 0 if abs(value) >= 1 else 1
    number = round(100 * value, digits) + 0.0
    text = f"{number:+.{digits}f}" if sign and number else f"{number:.{digits}f}"
    return text.replace("-", _MINUS) + f"{_NARROW}%"


def percent_zh(value: float | None, *, sign: bool = True) -> str:
    """Write a share as Chinese typography has it: the sign of percent stands close.

    Example:
        >>> percent_zh(0.0621), percent_zh(0.0621, sign=False)
        ('+6.2%', '6.2%')
    """
    return percent(value, sign=sign).replace(_NARROW, "")


def probability(value: float | None) -> str:
    """Write a p-value with two digits; one that rounds to nothing is told as a bound.

    Example:
        >>> probability(0.0344), probability(0.00004)
        ('0.034', '< 0.0001')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    return "< 0.0001" if value < 0.0001 else f"{value:.2g}"


def count(value: float) -> str:
    """Write a whole number in groups of three.

    Example:
        >>> count(541909) == "541\N{NARROW NO-BREAK SPACE}909"
        True
    """
    return f"{int(value):,}".replace(",", _NARROW)


def seconds(value: float | None) -> str:
    """Write a duration given in seconds.

    Example:
        >>> seconds(0.42), seconds(92.4)
        ('0.4 s', '1 min 32 s')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def figure(value: float | None) -> str:
    """Write any other number with three significant digits.

    Example:
        >>> figure(0.123456), figure(2.0), figure(1e-6)
        ('0.123', '2', '1e-06')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:.3g}".replace("-", _MINUS, 1) if value < 0 else f"{value:.3g}"


def rounded_up(value: float | None) -> str:
    """Write a bound with three significant digits, never below it: less would promise too much.

    Example:
        >>> rounded_up(2.991), rounded_up(3.0), rounded_up(1e-6), rounded_up(0.23701)
        ('3', '3', '1e-06', '0.238')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if not value:
        return "0"
    digits = 2 - math.floor(math.log10(abs(value)))
    # Not one more for the last bit of a product: 0.3 is stored a little above itself.
    return figure(math.ceil(round(value * 10.0**digits, 9)) / 10.0**digits)
