r"""Contacts in free text replaced by typed tags: e-mail, phone, card and private web addresses.

In: a column of text. Out: the same text with ``<EMAIL>``, ``<PHONE>``, ``<CARD>``, ``<URL>``.

Texts are compared after NFKC and without zero-width characters, so full-width digits count.
Borders are "no Latin letter or digit beside it", not ``\b``: between a Hanzi and a digit there is
no ``\b``, and a card number that follows Chinese text would be missed (PRIVACY, §8). Not for
names and postal addresses, and no guarantee: free text stays personal data.
"""

import re
import unicodedata

import polars as pl

_ZERO_WIDTH = "[\u00ad\u200b-\u200f\u2060\ufeff]"
_ZERO_WIDTH_PATTERN = re.compile(_ZERO_WIDTH)

_RIGHT = r"(?![0-9A-Za-z])"

_URL = re.compile(r"(?i:https?|ftp)://[^\s<>\"']{1,2048}")
_PRIVATE_URL = re.compile(
    r"(?i)://[^/?#]*@"
    r"|[?&#;](?:[a-z_-]*(?:token|key|secret|session|sid|auth|code|sig|signature|pass|pwd|user|uid"
    r"|email|phone)[a-z_-]*)="
)
_EMAIL = re.compile(
    r"(?<![0-9A-Za-z._%+-])[0-9A-Za-z._%+-]{1,64}@[0-9A-Za-z-]{1,63}(?:\.[0-9A-Za-z-]{1,63}){1,8}"
    + _RIGHT
)
_CARD = re.compile(r"(?<![0-9A-Za-z+])[0-9](?:[ -]?[0-9]){12,18}" + _RIGHT)
_PHONE = re.compile(
    r"(?<![0-9A-Za-z+])(?:"
    r"(?:\+?86[ -]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}"  # mainland China, mobile
    r"|\+[0-9]{1,3}(?:[ .()-]{0,2}[0-9]){6,12}"  # international
    r"|(?:\([0-9]{3}\) ?|[0-9]{3}[ .-])[0-9]{3}[ .-][0-9]{4}"  # North America
    r"|0[0-9]{2,4}[ -]?[0-9]{3,4}[ -]?[0-9]{3,4}"  # national, with trunk zero
    r")" + _RIGHT
)

_CANDIDATE = r"@|://|[0-9](?:[^0-9A-Za-z]{0,3}[0-9]){6}"
"""What every text with a contact contains; the only pattern that all texts are matched with."""


def replace_contacts(texts: pl.Series) -> pl.Series:
    """Replace contacts by typed tags; texts without any stay as they are, byte for byte.

    Args:
        texts: Strings, nulls allowed.

    Returns:
        The texts, in order. A changed text is NFKC-normalised.

    Example:
        >>> replace_contacts(pl.Series(["卡号4111111111111111", "size 42", None])).to_list()
        ['卡号<CARD>', 'size 42', None]
    """
    plain = texts.str.normalize("NFKC").str.replace_all(_ZERO_WIDTH, "")
    candidates = texts.filter(plain.str.contains(_CANDIDATE)).unique(maintain_order=True)
    if candidates.is_empty():
        return texts
    changed = pl.Series([_replace_in(text) for text in candidates.to_list()], dtype=pl.String)
    return texts.replace(candidates, changed)


def _replace_in(text: str) -> str:
    plain = _ZERO_WIDTH_PATTERN.sub("", unicodedata.normalize("NFKC", text))
    tagged = _URL.sub(_tag_private_url, plain)
    tagged = _EMAIL.sub("<EMAIL>", tagged)
    tagged = _CARD.sub(_tag_card, tagged)
    tagged = _PHONE.sub("<PHONE>", tagged)
    return text if tagged == plain else tagged


def _tag_private_url(match: re.Match[str]) -> str:
    return "<URL>" if _PRIVATE_URL.search(match[0]) else match[0]


def _tag_card(match: re.Match[str]) -> str:
    return "<CARD>" if _passes_luhn(match[0]) else match[0]


def _passes_luhn(text: str) -> bool:
    """Check a card number's last digit (ISO/IEC 7812-1, annex B)."""
    digits = [int(character) for character in text if character.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
