r"""Find personal data in texts: rules first, models only on what may still hold a name.

In: texts. Out: a frame of findings with places in the texts as they were given, never their words.

Everything is compared folded (see :mod:`shopsynth.privacy.pii.folding`), with borders "no Latin
letter or digit beside it" and never ``\b``: between a Hanzi and a digit there is no ``\b``
(PRIVACY, §8). Every distinct text is read once. Not a guarantee: free text stays personal data.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Literal

import polars as pl

from shopsynth.privacy.pii.addresses import find_addresses
from shopsynth.privacy.pii.brand_test import BrandTest
from shopsynth.privacy.pii.contacts import find_contacts
from shopsynth.privacy.pii.folding import Folded, fold
from shopsynth.privacy.pii.hits import Hit, without_overlaps
from shopsynth.privacy.pii.models import check_installed, find_with_models
from shopsynth.privacy.pii.names_en import find_english_names
from shopsynth.privacy.pii.names_zh import find_chinese_names
from shopsynth.privacy.pii.numbers import find_numbers
from shopsynth.privacy.pii.papers import find_papers
from shopsynth.privacy.pii.papers_abroad import find_papers_abroad

Names = Literal["off", "rules", "models"]
"""How names are looked for: not, by rules, or by rules and then the models of the extra ``pii``."""

_FINDINGS = pl.Schema(
    {
        "text_index": pl.Int64,
        "kind": pl.String,
        "start": pl.Int64,
        "end": pl.Int64,
        "rule": pl.String,
    }
)

_MAY_HOLD = (
    r"\p{N}|[@＠#]|://|[零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖]{11}"
    r"|[路街道巷弄村镇鎮园園区區栋棟幢座室楼樓]"
    r"|(?i:\bat\b|艾特|wxid|wx|vx|we ?chat|weixin|微|薇|威|卫星号|加[vwｖｗ]|[vｖ][:：]"
    r"|[+＋➕][vｖ])"
    r"|[ａ-ｚＡ-Ｚ]|[/?][^ ]{0,80}=|/[0-9a-z_.~-]{6}"
)
"""What every text holds that has more than names in it; all texts are matched with it at once."""

_FINDERS = (find_contacts, find_papers_abroad, find_papers, find_numbers, find_addresses)
"""All but names, in their order of right."""


def find_pii(
    texts: Sequence[str | None] | pl.Series,
    *,
    allow: Collection[str] = (),
    names: Names | bool = "rules",
) -> pl.DataFrame:
    """Find names, contacts, papers and addresses in texts.

    Args:
        texts: Texts of any length and script; nulls have no findings.
        allow: Brands of the shop's catalogue. A brand that is somebody's name stays a brand, unless
            the text says plainly that a person is meant ("收件人：李宁").
        names: ``"rules"`` (``True`` means the same), ``"models"``, or ``"off"`` (``False``).

    Returns:
        One row a finding, by text and place: ``text_index``, ``kind`` (one of ``KINDS``), ``start``
        and ``end`` (characters of the text as given) and ``rule``. Findings do not overlap.

    Raises:
        MissingExtraError: If ``names`` is ``"models"`` and the extra ``pii`` is not installed.

    Example:
        >>> find_pii(["卡号4111111111111111", "size 42", "收件人：李宁"]).rows()
        [(0, 'CARD', 2, 18, 'luhn'), (2, 'NAME', 4, 6, 'zh-cue')]
    """
    series = as_series(texts)
    unique = series.drop_nulls().unique(maintain_order=True)
    spans = find_spans(unique, allow=allow, names=names)
    place = pl.DataFrame({"text": unique, "spans": pl.Series(range(len(unique)), dtype=pl.Int64)})
    placed = pl.DataFrame({"text": series}).with_row_index("text_index").drop_nulls()
    joined = placed.join(place, on="text", how="left", maintain_order="left")
    rows = [
        (index, *hit)
        for index, number in joined.select("text_index", "spans").iter_rows()
        for hit in spans[number]
    ]
    return pl.DataFrame(rows, schema=_FINDINGS, orient="row")


def find_spans(
    unique: pl.Series, *, allow: Collection[str], names: Names | bool
) -> list[list[Hit]]:
    """Find the hits of every text, with places in the text as given.

    Args:
        unique: Texts without nulls.
        allow: Brands that stay.
        names: As for :func:`find_pii`.
    """
    how: Names = ("rules" if names else "off") if isinstance(names, bool) else names
    if how == "models":
        check_installed()
    is_brand = BrandTest(allow)
    folded = [fold(text) for text in unique.to_list()]
    may_hold = unique.str.contains(_MAY_HOLD).to_list()
    found = [
        list(_rule_hits(text.plain, is_brand, has_more=more, names=how != "off"))
        for text, more in zip(folded, may_hold, strict=True)
    ]
    if how == "models":
        more_names = find_with_models([text.plain for text in folded], is_brand)
        found = [[*sure, *guessed] for sure, guessed in zip(found, more_names, strict=True)]
    return [_placed(text, hits) for text, hits in zip(folded, found, strict=True)]


def as_series(texts: Sequence[str | None] | pl.Series) -> pl.Series:
    """Make a column of texts."""
    if isinstance(texts, pl.Series):
        return texts.cast(pl.String)
    return pl.Series(list(texts), dtype=pl.String)


def _rule_hits(plain: str, is_brand: BrandTest, *, has_more: bool, names: bool) -> Iterator[Hit]:
    """Yield hits in their order of right: what comes first wins where two overlap."""
    is_personal = False
    for find in _FINDERS if has_more else ():
        for hit in find(plain):
            is_personal = True
            yield hit
    if names:
        if not plain.isascii():
            yield from find_chinese_names(plain, is_brand, is_personal=is_personal)
        yield from find_english_names(plain, is_brand, is_personal=is_personal)


def _placed(text: Folded, hits: list[Hit]) -> list[Hit]:
    return [
        Hit(hit.kind, *text.span(hit.start, hit.end), hit.rule)
        for hit in without_overlaps(hits)
        if hit.end > hit.start
    ]
