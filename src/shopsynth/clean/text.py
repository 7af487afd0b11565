"""``text``: one spelling for every text.

In: titles, descriptions, brands, categories, queries and review texts as the source spells them.
Out: the same rows; texts in Unicode NFKC (full-width letters become ASCII), without control and
zero-width characters, tags and entities, with single blanks; a text of which nothing is left is
empty. Ids are never touched: they must still match the shop's.
"""

import html
import re
from collections.abc import Callable
from typing import ClassVar

import polars as pl

from shopsynth.clean.base import CleanContext, register
from shopsynth.schema import Cleaned, no_rejects

TEXT_COLUMNS = {
    "items": ("title", "description", "brand", "category"),
    "queries": ("text",),
    "reviews": ("text", "title"),
}
"""The columns people write and read, by table."""

_INVISIBLE = r"[\p{Cc}\p{Cf}--[\t\n\x0B\x0C\r\x{85}]]"
# A script or style with what follows it, a comment, any tag. A tag ends at the first `>`, as in the
# HTML standard, so one pass is final: no `<` and letter with a later `>` is left behind. No part
# may look past the next `<`: on a long hostile text that would take quadratic time.
_MARKUP = r"(?i)<(?:script|style)\b[^>]*>[^<]*|<!--[^<]*?-->|</?[a-z!][^>]*>"
# The final semicolon is demanded: shops write "R&D", and links hold "&region=".
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_MAX_UNESCAPES = 4
"""Text escaped twice happens (exports of exports); deeper nesting is an attack or garbage."""


@register("text")
class Text:
    """Normalise the text columns; rejects nothing.

    Not for language detection or spelling. Joiners (U+200C, U+200D) are dropped as well, which
    splits some emoji but gives a word one spelling.
    """

    tables: ClassVar[frozenset[str]] = frozenset(TEXT_COLUMNS)

    def clean(self, table: str, frame: pl.DataFrame, context: CleanContext) -> Cleaned:
        """Normalise every text column that is present."""
        columns = [column for column in TEXT_COLUMNS[table] if column in frame.columns]
        strip_html = context.settings.strip_html
        texts = [normalise(frame[column], strip_html=strip_html) for column in columns]
        return Cleaned(frame.with_columns(texts), no_rejects())


def normalise(texts: pl.Series, *, strip_html: bool) -> pl.Series:
    """Normalise texts, working on each distinct text once.

    Args:
        texts: Strings; nulls stay null.
        strip_html: Remove tags and resolve entities as well.

    Returns:
        Strings of the same length and name; null where nothing readable is left.

    Source:
        Unicode Standard Annex #15 (NFKC).

    Example:
        >>> texts = pl.Series(["ＲＥＤ <b>mug</b>&nbsp;&amp; lid", " "])
        >>> normalise(texts, strip_html=True).to_list()
        ['RED mug & lid', None]
    """
    distinct = texts.drop_nulls().unique(maintain_order=True)
    tidy = _tidy(distinct, strip_html)
    if strip_html:
        tidy = _resolve_entities(tidy)
    readable = tidy.replace("", None)
    if readable.equals(distinct):
        return texts
    return texts.replace_strict(distinct, readable, default=None, return_dtype=pl.String)


def _tidy(texts: pl.Series, strip_html: bool) -> pl.Series:
    # Invisible characters go first: they would keep letter and accent apart until the second run.
    plain = texts.str.replace_all(_INVISIBLE, "").str.normalize("NFKC")
    if strip_html:
        # A blank, not nothing: what stood beside a tag must not grow together into a new one.
        plain = plain.str.replace_all(_MARKUP, " ")
    return plain.str.replace_all(r"\s+", " ").str.strip_chars()


def _resolve_entities(texts: pl.Series) -> pl.Series:
    """Resolve entities until none is left, and strip the tags that come to light."""
    pending = texts.str.contains(_ENTITY.pattern).arg_true()
    for _ in range(_MAX_UNESCAPES):
        escaped = texts.gather(pending)
        plain = _substitute(escaped, html.unescape)
        texts = texts.scatter(pending, plain)
        # Unknown entities never change; they are words.
        pending = pending.filter((plain != escaped) & plain.str.contains(_ENTITY.pattern))
    return texts.scatter(pending, _substitute(texts.gather(pending), _disarm))


def _substitute(texts: pl.Series, resolve: Callable[[str], str]) -> pl.Series:
    resolved = [_ENTITY.sub(lambda found: resolve(found.group()), text) for text in texts.to_list()]
    return _tidy(pl.Series(texts.name, resolved, dtype=pl.String), strip_html=True)


def _disarm(entity: str) -> str:
    return entity.replace("&", " ")
