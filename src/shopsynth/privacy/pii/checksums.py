"""Check digits and date parts that tell a number of somebody from a number of something.

In: digits. Out: whether they can be a payment card or a resident identity card.
"""

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
"""GB 11643-1999, annex A (ISO 7064, MOD 11-2)."""

_PROVINCES = (
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65"
    " 71 81 82 83"
)
PROVINCES = frozenset(_PROVINCES.split())
"""First two digits of a region (GB/T 2260), with those of Hong Kong, Macau and Taiwan residents."""

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def passes_luhn(digits: str) -> bool:
    """Check the last digit of a card number (ISO/IEC 7812-1, annex B).

    Example:
        >>> passes_luhn("4111111111111111"), passes_luhn("4111111111111112")
        (True, False)
    """
    plain = sum(map(int, digits[-1::-2]))
    doubled = sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return (plain + doubled) % 10 == 0


def id_check_character(digits: str) -> str:
    """Give the last character of a resident identity number from its first 17 digits.

    Example:
        >>> id_check_character("11010519491231002")
        'X'
    """
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, digits, strict=True))
    return _ID_CHECKS[total % 11]


def looks_like_resident_id(number: str) -> bool:
    """Check province, year, month and day of an 18-character number, not its last character."""
    month, day = int(number[10:12]), int(number[12:14])
    return (
        number[:2] in PROVINCES
        and number[6:8] in ("18", "19", "20")
        and 1 <= month <= 12
        and 1 <= day <= 31
    )


def is_resident_id(number: str) -> bool:
    """Check a whole mainland resident identity number.

    Example:
        >>> is_resident_id("11010519491231002X"), is_resident_id("110105194912310021")
        (True, False)
    """
    return looks_like_resident_id(number) and id_check_character(number[:17]) == number[17].upper()
