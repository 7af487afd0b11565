"""Personal data and abuse in made texts: such a text goes, and nothing of it is told but that.

In: made rows with a text, whoever finds personal data, a list of words. Out: the rows kept, and
the rejects, which hold identifiers only.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import polars as pl

from shopsynth.combine.filters._rows import need_columns, parted, reasons_of
from shopsynth.schema import InputError
from shopsynth.text.words import spell_alike

Scanner = Callable[[pl.Series], pl.Series]
"""Texts to ``(n,)`` whether each holds personal data; the privacy room has some."""

TOXIC_WORDS: tuple[str, ...] = (
    "arsehole", "asshole", "bitches", "bullshit", "cocksucker", "cretin", "cunt", "cunts",
    "die in a fire", "dickhead", "dumbass", "fuck", "fucked", "fucker", "fucking", "fuckwit",
    "go to hell", "idiot", "idiots", "imbecile", "jackass", "kill yourself", "moron", "morons",
    "motherfucker", "motherfucking", "piece of shit", "retard", "retarded", "scumbag", "shithead",
    "shitty", "shut up", "son of a bitch", "stfu", "subhuman", "twat", "wanker", "whore", "whores",
    "you suck",
    "傻逼", "傻屄", "煞笔", "白痴", "弱智", "脑残", "智障", "蠢货", "王八蛋", "贱人", "贱货",
    "婊子", "狗日的", "狗娘养", "他妈的", "操你妈", "草泥马", "滚蛋", "人渣", "杂种", "畜生",
)  # fmt: skip
"""Words and phrases of abuse in English and Chinese that have no use in a shop's texts.

Left out is what shops sell or say: a bastard file, a drop dead gorgeous dress, 去死皮.
"""


def pii_and_toxicity(
    rows: pl.DataFrame,
    scan: Scanner | None = None,
    words: Sequence[str] = TOXIC_WORDS,
    *,
    table: str = "queries",
    column: str = "text",
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Drop texts with personal data or abuse.

    Abuse is known by a list: whole words in any case and width; Chinese, which has no spaces,
    anywhere. A list misses whatever is misspelt or said politely, knows no irony, and takes quotes
    for the thing: it keeps the worst out of what a model wrote and proves nothing clean. Give your
    own words, or none, for a catalogue in which some of these are names.

    Args:
        rows: Made rows.
        scan: Who finds personal data; without one only abuse is looked for.
        words: Words and phrases of abuse; none to look for personal data only.
        table: Name of the table, for the rejects.
        column: Column of the texts.

    Returns:
        The rows kept, in order, and the rejects with the reasons ``personal_data`` and ``toxic``;
        neither reason nor record holds any of the text.

    Raises:
        InputError: If the column is missing or the scanner does not judge every text.

    Source:
        Word lists as a first pass and what they cost: Dodge et al., Documenting large webtext
        corpora, EMNLP 2021, section 5.

    Example:
        >>> made = pl.DataFrame({"text": ["warm scarf", "what an IDIOT sells this", "idiotproof"]})
        >>> kept, rejects = pii_and_toxicity(made)
        >>> kept["text"].to_list(), rejects.rows()
        (['warm scarf', 'idiotproof'], [('queries', 'toxic', '{"row":1}')])
    """
    where = f"pii_and_toxicity, table {table}"
    need_columns(where, rows, column)
    texts = rows[column].fill_null("")
    personal = pl.Series(np.zeros(rows.height, np.bool_))
    if scan is not None:
        personal = scan(texts)
        if len(personal) != rows.height:
            raise InputError(
                f"{where}: expected of the scanner one judgment for each of {rows.height} texts, "
                f"got {len(personal)}; return whether each text holds personal data"
            )
    found = (("personal_data", personal), ("toxic", _toxic(texts, tuple(words))))
    return parted(rows, table, reasons_of(rows.height, *found))


def _toxic(texts: pl.Series, words: tuple[str, ...]) -> pl.Series:
    found = pl.Series(np.zeros(texts.len(), np.bool_))
    spelled = " " + spell_alike(texts) + " "
    for pattern in _patterns(words):
        found |= spelled.str.contains(pattern)
    return found


@lru_cache(maxsize=8)
def _patterns(words: tuple[str, ...]) -> list[str]:
    """Write words as texts are spelled: a pattern of whole words, and one of Chinese ones."""
    spelled = spell_alike(pl.Series(words, dtype=pl.String)).unique().sort()
    chinese = spelled.str.contains(r"\p{Han}")
    ways = (
        (spelled.filter(~chinese & (spelled != "")), " (?:{}) "),
        (spelled.filter(chinese), "{}"),
    )
    return [form.format("|".join(some.str.escape_regex())) for some, form in ways if some.len()]
