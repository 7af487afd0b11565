"""Replace personal data in texts: by a typed tag, a keyed pseudonym or an unassignable fake.

In: texts, and the key for the last two. Out: the texts; outside a finding nothing changes.
"""

import hmac
from collections.abc import Collection, Sequence
from typing import Literal

import polars as pl

from shopsynth.privacy.key import check_key
from shopsynth.privacy.pii.fakes import fake
from shopsynth.privacy.pii.finder import Names, as_series, find_spans
from shopsynth.privacy.pii.folding import fold
from shopsynth.privacy.pii.hits import Hit
from shopsynth.schema import PrivacyError

Replacement = Literal["tag", "pseudonym", "fake"]
"""What stands where something was found: ``<PHONE>``, ``<PHONE:3f2a...>``, or a fake number."""

_HEX_DIGITS = 16
"""64 bits: no collision to be expected below a billion values of a kind."""


def replace_pii(
    texts: Sequence[str | None] | pl.Series,
    how: Replacement = "tag",
    key: bytes | None = None,
    *,
    allow: Collection[str] = (),
    names: Names | bool = "rules",
) -> pl.Series:
    """Replace what :func:`find_pii` finds.

    The same value gets the same pseudonym or fake in every text and in any spelling ("138 1234
    5678", "+86-13812345678"); equal values of two kinds get different ones. While the key exists
    the data stay personal.

    Args:
        texts: Texts; nulls stay null.
        how: ``"tag"``, ``"pseudonym"`` or ``"fake"``.
        key: From :func:`shopsynth.privacy.load_key`; needed unless ``how`` is ``"tag"``.
        allow: Brands that stay, as for :func:`find_pii`.
        names: How names are looked for, as for :func:`find_pii`.

    Returns:
        The texts, in order; a text without findings is the same, byte for byte.

    Raises:
        PrivacyError: If a key is needed and missing or too short.
        MissingExtraError: If ``names`` is ``"models"`` and the extra ``pii`` is not installed.

    Example:
        >>> replace_pii(["卡号4111111111111111", "size 42", None]).to_list()
        ['卡号<CARD>', 'size 42', None]
    """
    if how != "tag":
        if key is None:
            raise PrivacyError(
                f"replace_pii with {how}s: expected a key, got none; take load_key's, or use tags"
            )
        check_key(key, f"replace_pii with {how}s")
    series = as_series(texts)
    unique = series.drop_nulls().unique(maintain_order=True)
    spans = find_spans(unique, allow=allow, names=names)
    changed = [
        (text, _replaced(text, hits, how, key))
        for text, hits in zip(unique.to_list(), spans, strict=True)
        if hits
    ]
    if not changed:
        return series
    old = pl.Series([before for before, _ in changed], dtype=pl.String)
    new = pl.Series([after for _, after in changed], dtype=pl.String)
    return series.replace(old, new)


def _replaced(text: str, hits: list[Hit], how: Replacement, key: bytes | None) -> str:
    pieces, last = [], 0
    for hit in hits:
        pieces += [text[last : hit.start], _stand_in(text[hit.start : hit.end], hit.kind, how, key)]
        last = hit.end
    return "".join([*pieces, text[last:]])


def _stand_in(found: str, kind: str, how: Replacement, key: bytes | None) -> str:
    if how == "tag" or key is None:
        return f"<{kind}>"
    plain = fold(found).plain
    domain = f"shopsynth pii\0{kind}\0".encode()
    digest = hmac.digest(key, domain + _canonical(plain, kind).encode(), "sha256")
    if how == "fake":
        return fake(kind, plain, digest)
    return f"<{kind}:{digest.hex()[:_HEX_DIGITS]}>"


def _canonical(plain: str, kind: str) -> str:
    """Spell a value in one way, whatever separators, case or country prefix it came with."""
    if kind == "PHONE":
        return _canonical_phone(plain)
    kept = "".join(character for character in plain.lower() if character.isalnum())
    if kind in ("ID", "CARD", "PLATE", "QQ", "PASSPORT", "ORDER"):
        return kept
    if kind in ("NAME", "ADDRESS"):
        return " ".join(plain.lower().split())
    return "".join(plain.lower().split())


_HANZI_DIGITS = str.maketrans("零〇一二三四五六七八九幺", "0012345678" + "91")


def _canonical_phone(plain: str) -> str:
    digits = "".join(each for each in plain.translate(_HANZI_DIGITS) if each.isdigit())
    for prefix in ("0086", "86"):
        rest = digits.removeprefix(prefix)
        if rest != digits and len(rest) == 11 and rest[0] == "1":
            return rest
    if plain.lstrip("( ").startswith("+44"):
        return "0" + digits[2:].removeprefix("0")
    is_abroad = len(digits) == 11 and digits[0] == "1" and digits[1] not in "3456789"
    is_abroad = is_abroad or plain.lstrip("( ").startswith("+1")
    return digits[1:] if is_abroad and len(digits) == 11 else digits
