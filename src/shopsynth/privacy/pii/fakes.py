"""Stand-ins that nobody can own: from reserved ranges, or of a form that is never assigned.

In: a kind, the words found and a keyed digest of them. Out: a fake, the same for the same digest.

Faker's Chinese phones are all valid and a third of its IDs are (PRIVACY, §8); none of these is.
"""

from shopsynth.privacy.pii.checksums import id_check_character, passes_luhn

_STEMS = "甲乙丙丁戊己庚辛壬癸"
_BRANCHES = "子丑寅卯辰巳午未申酉戌亥"
_AREAS = ("201", "202", "303", "404", "505", "606", "707", "808", "907")


def fake(kind: str, found: str, digest: bytes) -> str:
    """Make the stand-in of a value.

    Args:
        kind: One of ``KINDS``.
        found: The words found; only their script and form count.
        digest: At least 16 bytes that stand for the value.

    Example:
        >>> fake("EMAIL", "ann@mail.example", bytes(16))
        '00000000@example.invalid'
        >>> fake("PHONE", "13812345678", bytes(16))
        '10000000000'
    """
    number = int.from_bytes(digest[:8], "big")
    tail = digest[:4].hex()
    if kind == "NAME":
        return _name(found, number)
    if kind == "PHONE":
        return _phone(found, number)
    if kind == "ID":
        return _identity(found, number)
    if kind == "ADDRESS":
        house = 1 + number % 999
        return f"{house} Nowhere Street" if found.isascii() else f"虚构市无名路{house}号"
    if kind == "IP":
        return _network(found, number)
    made = {
        "EMAIL": f"{tail}@example.invalid",
        "CARD": _card(number),
        # Not one of the provinces' characters, and I is no letter of a plate.
        "PLATE": f"测I{number % 10**5:05d}",
        # Longer than the 20 characters that an id may have.
        "WECHAT": f"example-invalid-id-{tail}",
        # No QQ number begins with zero.
        "QQ": f"0{number % 10**9:09d}",
        "ORDER": f"EXAMPLE-{number % 10**10:010d}",
        "URL": f"https://example.invalid/{tail}",
        # ZZ is nobody's code (ISO 3166, user-assigned).
        "PASSPORT": f"ZZ{number % 10**7:07d}",
    }
    return made[kind]


def _name(found: str, number: int) -> str:
    """Name somebody by "a certain" and the sexagenary cycle, or by a surname that nobody has."""
    if found[0] < "\u2e80":
        return f"Alex Example-{number % 1000:03d}"
    return f"某{_STEMS[number % 10]}{_BRANCHES[number // 10 % 12]}"


def _phone(found: str, number: int) -> str:
    """Use 555-01xx (reserved for fiction in North America), or 100, which begins no mobile."""
    digits = "".join(character for character in found if character.isdigit())
    is_chinese = digits.removeprefix("0086").removeprefix("86")[:1] == "1" and len(digits) >= 11
    if is_chinese and not found.lstrip("( ").startswith("+1"):
        return f"100{number % 10**8:08d}"
    return f"{_AREAS[number // 100 % len(_AREAS)]}-555-01{number % 100:02d}"


def _identity(found: str, number: int) -> str:
    """Use region 000000 with a wrong check character; area 000 of a social security number."""
    if sum(character.isdigit() for character in found) < 15:
        return f"000-{1 + number % 99:02d}-{1 + number // 99 % 9999:04d}"
    body = f"000000{1950 + number % 50}{1 + number // 50 % 12:02d}{1 + number // 600 % 28:02d}"
    body += f"{number // 16_800 % 1000:03d}"
    right = id_check_character(body)
    return body + ("0" if right == "X" else str((int(right) + 1) % 10))


def _card(number: int) -> str:
    """Begin with 0, which no issuer does (ISO/IEC 7812-1), and fail the check digit."""
    body = f"0{number % 10**14:014d}"
    digit = next(each for each in "01" if not passes_luhn(body + each))
    return body + digit


def _network(found: str, number: int) -> str:
    """Use the ranges for documentation (RFC 5737, RFC 3849)."""
    if ":" in found:
        return f"2001:db8::{number % 65_536:x}"
    network = ("192.0.2", "198.51.100", "203.0.113")[number % 3]
    return f"{network}.{1 + number // 3 % 254}"
