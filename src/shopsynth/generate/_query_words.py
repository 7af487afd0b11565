"""Searches made of what the catalogue says of an item: one to four of its words.

In: the catalogue and, to know which words people use, real searches and the items they led to.
Out: a text for each item asked for.

Only words of the catalogue come out. People's searches say no more than how long a text is, which
script goes with a locale, and how often brand, title and category are used; a word's own weight
counts only where at least ``min_users`` people used it.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.generate._draws import DrawTable, Floats, Integers

_MAX_WORDS = 4
_MAX_CANDIDATES = 12
"""Words of an item that are chosen from."""

_FIELDS = ("brand", "title", "category")
"""In the order in which their words stand in a text."""

_WORD = r"[\p{L}\p{M}\p{N}]+"
_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]"
_SHORT = 6
"""Longest run of a script without spaces that is a word by itself; of a longer one its end is
taken, where the noun stands in Chinese and Japanese."""

_ENDING = 4
_SCRIPTS = (
    r"\p{Latin}", r"\p{Cyrillic}", r"\p{Greek}", r"\p{Arabic}", r"\p{Hebrew}", r"\p{Devanagari}",
    r"\p{Hangul}", _UNSPACED,
)  # fmt: skip
_ANY_SCRIPT = len(_SCRIPTS)


@dataclass(frozen=True)
class QueryWords:
    """Words that searches are built of.

    Attributes:
        words: ``(n_words,)`` text of each entry, item after item, in the order of a text.
        weights: ``(n_words,)`` how readily an entry is used.
        scripts: ``(n_words,)`` number of its script.
        pointers: ``(n_items + 1,)`` places of each item's entries.
        lengths: Numbers of words of the texts that are replaced, drawn evenly.
        locales: Locales that people search in.
        of_script: One row a script, with the locales written in it by how often they are used.
    """

    words: pl.Series
    weights: Floats
    scripts: NDArray[np.int64]
    pointers: NDArray[np.int64]
    lengths: NDArray[np.int64]
    locales: pl.Series
    of_script: DrawTable

    @classmethod
    def fit(cls, items: pl.DataFrame, searches: pl.DataFrame, min_users: int) -> Self:
        """Collect the words of items and weigh them by what people search for.

        Args:
            items: The catalogue, a row an item in the order of item_index.
            searches: A row a searched event: ``user`` and ``item`` (numbers), ``text``,
                ``locale``, and ``rare``: whether what is built stands for it.
            min_users: People who must use a word for its weight to count, or a locale.
        """
        table = _catalogue_words(items)
        asked = searches.select(
            "user", "item", word=pl.col("text").str.to_lowercase().str.extract_all(_WORD)
        )
        said = asked.explode("word").drop_nulls("word")
        users = said.group_by("word").agg(n_users=pl.col("user").n_unique())
        weighed = (
            table.join(_field_rates(table, said), on="field", how="left", maintain_order="left")
            .join(users, on="word", how="left", maintain_order="left")
            .with_columns(common=pl.col("n_users").fill_null(0) >= min_users)
        )
        popular = np.where(weighed["common"], np.log1p(weighed["n_users"].fill_null(0)), 0.0)
        replaced = asked.filter(searches["rare"])
        lengths = replaced["word"].list.len().to_numpy().astype(np.int64)
        locales, of_script = _locales(searches, min_users)
        return cls(
            words=weighed["word"],
            weights=weighed["rate"].to_numpy() * (1 + popular),
            scripts=_scripts(weighed["word"]),
            pointers=np.searchsorted(weighed["item"].to_numpy(), np.arange(items.height + 1)),
            lengths=np.clip(np.sort(lengths), 1, _MAX_WORDS),
            locales=locales,
            of_script=of_script,
        )

    def build(self, items: Integers, random: np.random.Generator) -> pl.DataFrame:
        """Build a text for each item.

        The first word decides the script; the others keep to it, and the locale goes with it.

        Args:
            items: ``(n,)`` item_index.
            random: Source of randomness.

        Returns:
            ``text`` and ``locale``, a row an item; null where the catalogue has no word for it.

        Source:
            Efraimidis and Spirakis, Inf. Process. Lett. 97(5), 2006.
        """
        sizes = (self.pointers[1:] - self.pointers[:-1])[items]
        offsets = np.concatenate(([0], np.cumsum(sizes)))
        owner = np.repeat(np.arange(items.size), sizes)
        entry = np.arange(owner.size) + np.repeat(self.pointers[items] - offsets[:-1], sizes)
        # The smallest of exponentials over weights are a draw without replacement.
        key = random.exponential(size=owner.size) / self.weights[entry]
        script = np.full(items.size, _ANY_SCRIPT)
        first = np.lexsort((key, owner))[offsets[:-1][sizes > 0]]
        script[sizes > 0] = self.scripts[entry[first]]
        key[self.scripts[entry] != script[owner]] = np.inf
        order = np.lexsort((key, owner))
        rank = np.arange(owner.size) - np.repeat(offsets[:-1], sizes)
        wanted = random.choice(self.lengths, items.size) if self.lengths.size else 2 + 0 * items
        chosen = np.sort(order[(rank < wanted[owner]) & np.isfinite(key[order])])
        texts = (
            pl.DataFrame({"owner": owner[chosen], "word": self.words.gather(entry[chosen])})
            .group_by("owner", maintain_order=True)
            .agg(text=pl.col("word").str.join(" "))
        )
        made = pl.DataFrame({"owner": np.arange(items.size)}).join(
            texts, on="owner", how="left", maintain_order="left"
        )
        locale = self.of_script.draw(script, random.random(items.size))
        # Place -1, of a script without a locale, is the empty one behind the last.
        told = self.locales.extend_constant(None, 1).gather(locale % (self.locales.len() + 1))
        return made.select("text", locale=told)


def _catalogue_words(items: pl.DataFrame) -> pl.DataFrame:
    """List each item's words: ``item``, ``field``, ``word``, in the order of a text."""
    parts = [pl.DataFrame(schema={"item": pl.Int64, "field": pl.Int64, "word": pl.String})]
    for field, name in enumerate(_FIELDS):
        if name not in items.columns:
            continue
        text = items[name].cast(pl.String).str.to_lowercase()
        if name == "category":
            text = text.str.split(" > ").list.last()
        parts.append(
            pl.DataFrame({"item": np.arange(items.height), "word": text.str.extract_all(_WORD)})
            .with_columns(field=pl.lit(field, dtype=pl.Int64))
            .explode("word")
            .drop_nulls("word")
            .select("item", "field", "word")
        )
    unspaced = pl.col("word").str.contains(_UNSPACED)
    long = unspaced & (pl.col("word").str.len_chars() > _SHORT)
    one_letter = ~unspaced & (pl.col("word").str.len_chars() < 2)
    return (
        pl.concat(parts)
        .filter(~one_letter & ~pl.col("word").str.contains(r"^\p{N}+$"))
        .with_columns(word=pl.when(long).then(pl.col("word").str.tail(_ENDING)).otherwise("word"))
        .unique(["item", "word"], keep="first", maintain_order=True)
        .sort("item", maintain_order=True)
        .filter(pl.int_range(pl.len()).over("item") < _MAX_CANDIDATES)
    )


def _field_rates(table: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    """Say how often a word of each field of an item is used by who searches: ``field, rate``."""
    there = table.join(said.select("item").unique(), on="item", how="semi")
    hits = there.join(said.select("item", "word").unique(), on=["item", "word"], how="semi")
    offered, used = there.group_by("field").len("offered"), hits.group_by("field").len("used")
    counts = offered.join(used, on="field", how="left")
    fields = pl.DataFrame({"field": np.arange(len(_FIELDS))})
    return fields.join(counts, on="field", how="left").select(
        "field", rate=(pl.col("used").fill_null(0) + 1) / (pl.col("offered").fill_null(0) + 2)
    )


def _scripts(texts: pl.Series) -> NDArray[np.int64]:
    """Number the script of each text: the first of those known that it has a letter of."""
    found = np.full(texts.len(), _ANY_SCRIPT)
    for number, letters in reversed(list(enumerate(_SCRIPTS))):
        found[texts.str.contains(letters).to_numpy()] = number
    return found


def _locales(searches: pl.DataFrame, min_users: int) -> tuple[pl.Series, DrawTable]:
    """Find which locales write in which script, and how often."""
    told = searches.select("user", "locale", script=_scripts(searches["text"])).drop_nulls("locale")
    counts = (
        told.group_by("locale", "script")
        .agg(n=pl.len(), n_users=pl.col("user").n_unique())
        .filter(pl.col("n_users") >= min_users)
        .sort("locale", "script")
    )
    locales = counts["locale"].unique().sort()
    table = DrawTable.of(
        counts["script"].to_numpy(),
        locales.search_sorted(counts["locale"]).to_numpy().astype(np.int64),
        counts["n"].to_numpy(),
        _ANY_SCRIPT + 1,
    )
    return locales, table
