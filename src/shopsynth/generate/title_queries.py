"""title_queries: searches for the items of a catalogue, as customers of this shop write them.

In: a private view's catalogue and, where the shop has some, the texts of its searches; no label,
no click. Out: ``queries`` and, for each, graded ``judgments`` of items.

Searches laid beside titles by their words alone tell which words of a title people use, how many,
in which order, in which form, how they write sizes and how often they mistype. Items take turns,
kind by kind, so that the whole catalogue is searched for. Grades rest on what the records say
(:mod:`shopsynth.generate.searches.grades`).

A text is made of the item's own words, and of words that at least ``min_queries`` people or
searches use; one that equals a search of fewer, and is not made of the item's own words alone, is
left out. It gives no differential privacy. Not for needs that no title names ("gift for dad"),
nor for titles without the name of the thing.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from shopsynth.generate._histories import id_prefix
from shopsynth.generate.base import (
    WITHOUT_GUARANTEE,
    Conditions,
    check_request,
    check_view,
    fitted,
    register,
)
from shopsynth.generate.searches.drawing import MOST_KEPT, QueryDrawer
from shopsynth.generate.searches.grades import Grader
from shopsynth.generate.searches.keeping import keep_odds
from shopsynth.generate.searches.language import QueryLanguage, word_classes
from shopsynth.generate.searches.links import link_words
from shopsynth.generate.searches.matches import match
from shopsynth.generate.searches.real import RealSearches
from shopsynth.generate.searches.spelling import Spelling
from shopsynth.generate.searches.titles import Titles, texts_of, with_wants
from shopsynth.generate.searches.words import Vocabulary
from shopsynth.privacy import PrivateView
from shopsynth.schema import (
    SILENT,
    Dataset,
    EmptyDataError,
    Progress,
    Settings,
    SyntheticDataset,
    derived_seed,
)
from shopsynth.schema.fingerprint import sha256_of
from shopsynth.text.segmentation import Segmentation
from shopsynth.text.words import spell_alike

_METHOD = "title_queries"

_READ = 50_000
"""Searches that are learned from: rates change no more with further ones, and time would."""

_ROUNDS = 4
"""Draws for places whose text an item has already, or that must not be told."""

_BLOCK = 20_000
"""Searches drawn at once: arrays of some 50 MB. Fixed, for the numbers drawn depend on it."""


class TitleQueriesOptions(Settings):
    """Options of ``title_queries``."""

    min_queries: int = Field(default=3, ge=1)
    """People, or searches where nobody is known, that must share a word which is not the item's
    own, or a whole text."""

    per_item: int = Field(default=1, ge=1, le=100)
    """Searches in a row for one item before the next has its turn; with fewer wanted searches than
    items 1 covers most of the catalogue."""

    tries: int = Field(default=6, ge=1, le=32)
    """Draws for each search, of which the way its words go together chooses one."""

    links: float = Field(default=0.3, ge=0, le=1)
    """Chance that another word stands where people are known to write one; 0 for the title's own
    words in all their forms."""

    typos: float = Field(default=-1, ge=-1, le=1)
    """Share of searches with a slip; -1 for as many as customers make."""

    variants: int = Field(default=2, ge=0, le=50)
    """Most variants (another size, another colour) judged for each search."""

    kin: int = Field(default=2, ge=0, le=50)
    """Most items of the same kind that lack something, grade 1."""

    others: int = Field(default=4, ge=0, le=50)
    """Most hard negatives: items that share words but are another thing, grade 0."""

    segmentation: Segmentation = "characters"
    """How Chinese phrases are cut: characters, into pairs, needs no library; jieba, into words, so
    that searches are made of whole words."""


@dataclass(frozen=True)
class _Learned:
    """What ``fit`` learned.

    Attributes:
        drawer: Draws words of searches.
        spelling: Writes them.
        grader: Judges items.
        turns: Items with words, in the order of their turns: like ones beside each other.
        rare: Texts, in one spelling, that too few people have.
        items: The catalogue, a row an item_index.
        locale: Of all searches of the shop, or ``None``.
        source: Fingerprint of the view.
    """

    drawer: QueryDrawer
    spelling: Spelling
    grader: Grader
    turns: NDArray[np.int64]
    rare: pl.Series
    items: pl.DataFrame
    locale: str | None
    source: str


@register(_METHOD)
class TitleQueries:
    """Searches made of titles, in the way of real searches."""

    Options: ClassVar[type[Settings]] = TitleQueriesOptions
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
    table: ClassVar[str] = "judgments"

    def __init__(self, options: TitleQueriesOptions) -> None:
        self.options = options
        self._model: _Learned | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Learn how searches are written from their texts and the catalogue.

        Raises:
            PrivacyError: If ``view`` is no view, or in mode dp.
            MissingExtraError: If ``segmentation`` asks for a library that is not installed.
            EmptyDataError: If no item has a title, brand or category with a word in it.
        """
        check_view(view, _METHOD, self.modes)
        progress.start(f"{_METHOD}: reading", 1)
        options = self.options
        random = np.random.Generator(np.random.PCG64(seed))
        items = view.items.unique("item_id", keep="first").sort("item_id")
        searches = RealSearches.read(view, options.min_queries)
        learned_from = np.sort(random.permutation(searches.texts.len())[:_READ])
        vocabulary, (*fields, queries) = Vocabulary.of(
            [*texts_of(items), searches.texts.gather(learned_from)], options.segmentation
        )
        titles = Titles.of(items, vocabulary, fields)
        stem = vocabulary.stem[queries.word]
        counts, few = searches.sharing(learned_from, queries.text, stem, vocabulary.n_stems)
        _, few_words = searches.sharing(
            learned_from, queries.text, queries.word, vocabulary.words.len()
        )
        traits = with_wants(titles, counts, few, learned_from.size)
        matches = match(queries, titles, random)
        lengths = np.diff(queries.offsets)
        drawer = QueryDrawer(
            titles,
            keep_odds(traits, titles, queries, matches)[1],
            lengths=lengths[lengths > 0],
            language=QueryLanguage.fit(
                queries.text, stem, word_classes(few, vocabulary.digits()), learned_from.size
            ),
            links=link_words(titles, queries, matches, ~few_words, options.min_queries),
            links_from=options.links,
            tries=options.tries,
        )
        turns = _turns(drawer, titles)
        if turns.size == 0:
            raise EmptyDataError(
                f"generate.{_METHOD}: expected items with words in title, brand or category, got "
                f"none among {items.height}; map a column to title under [shop.items]"
            )
        typos = None if options.typos < 0 else options.typos
        spelling = Spelling.fit(vocabulary, queries, np.isin(vocabulary.stem, titles.stem), typos)
        rare, locale = searches.rare, searches.locale
        self._model = _Learned(
            drawer, spelling, Grader(titles), turns, rare, items, locale, view.fingerprint
        )
        progress.advance(1)
        return self

    def sample(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> SyntheticDataset:
        """Make ``n`` searches and judge items for them.

        Fewer come only where the catalogue has not so many: no item gets one text twice.

        Returns:
            ``queries`` (``query_id``, ``text``, and ``locale`` where all searches of the shop have
            the same) and ``judgments`` (``query_id``, ``item_id``, ``grade`` 0 to 3), by search,
            best grade first.

        Raises:
            InputError: If ``fit`` has not run, ``n`` is not positive, or conditions are given.
        """
        check_request(n, conditions, _METHOD)
        model = fitted(self._model, _METHOD)
        random = np.random.Generator(np.random.PCG64(derived_seed(seed, _METHOD)))
        per_item = self.options.per_item
        wanted = np.repeat(_in_turn(model.turns, -(-n // per_item), random), per_item)[:n]
        progress.start(f"{_METHOD}: searches", n)
        texts = pl.DataFrame(schema={"item": pl.Int64, "text": pl.String})
        meant = np.zeros((0, MOST_KEPT), np.int64)
        missing = wanted
        for number in range(_ROUNDS):
            for start in range(0, missing.size, _BLOCK):
                block = missing[start : start + _BLOCK]
                told, stems = _draw(model, block, derived_seed(seed, number, start), random)
                texts, meant = pl.concat([texts, told]), np.concatenate((meant, stems))
            new = texts.select(pl.struct("item", "text").is_first_distinct()).to_series()
            texts, meant = texts.filter(new), meant[new.to_numpy()]
            progress.advance(texts.height - (n - missing.size))
            missing = _without(wanted, texts["item"].to_numpy(), model.items.height)
            if missing.size == 0:
                break
        progress.advance(missing.size)
        return self._written(model, texts, meant, seed, random)

    def _written(
        self,
        model: _Learned,
        texts: pl.DataFrame,
        meant: NDArray[np.int64],
        seed: int,
        random: np.random.Generator,
    ) -> SyntheticDataset:
        """Write tables: ids are the method's prefix, ``q`` and a number."""
        options = self.options
        graded = model.grader.grade(
            texts["item"].to_numpy(),
            meant,
            variants=options.variants,
            kin=options.kin,
            others=options.others,
            random=random,
        )
        prefix = f"{id_prefix(_METHOD)}q"
        ids = prefix + pl.Series(np.arange(1, texts.height + 1)).cast(pl.String)
        queries = pl.DataFrame({"query_id": ids, "text": texts["text"]})
        if model.locale is not None:
            queries = queries.with_columns(locale=pl.lit(model.locale))
        judgments = pl.DataFrame(
            {
                "query_id": ids.gather(graded.query),
                "item_id": model.items["item_id"].gather(graded.item),
                "grade": graded.grade,
            }
        )
        return SyntheticDataset(
            data=Dataset(items=model.items, queries=queries, judgments=judgments),
            synthesizer=_METHOD,
            config_sha256=sha256_of(options.model_dump(mode="json")),
            seed=seed,
            source_sha256=model.source,
        )


def _draw(
    model: _Learned, items: NDArray[np.int64], seed: int, random: np.random.Generator
) -> tuple[pl.DataFrame, NDArray[np.int64]]:
    """Draw a search for each item: ``item``, ``text``, and what its words mean.

    What only too few people wrote is left out, unless the item's own words say it.
    """
    drawn = model.drawer.draw(items, random)
    texts, slipped = model.spelling.write(drawn, seed=seed, random=random)
    foreign = slipped | model.drawer.foreign(drawn)
    able = ~(foreign & spell_alike(texts).is_in(model.rare.implode()).to_numpy())
    told = pl.DataFrame({"item": items, "text": texts}).filter(pl.Series(able))
    return told, drawn.stems[able]


def _turns(drawer: QueryDrawer, titles: Titles) -> NDArray[np.int64]:
    """Put items with words into an order in which like ones stand together."""
    able = drawer.speakable()
    turns: NDArray[np.int64] = able[np.lexsort((able, titles.kind[able], titles.group[able]))]
    return turns


def _in_turn(turns: NDArray[np.int64], n: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Choose items evenly along their order, nobody again before everybody had a turn.

    Source:
        Systematic sampling: Madow and Madow, Ann. Math. Stat. 15(1), 1944.
    """
    whole, rest = divmod(n, turns.size)
    place = (np.arange(rest) + random.random()) * (turns.size / max(rest, 1))
    last = turns[np.minimum(place.astype(np.int64), turns.size - 1)]
    return np.concatenate((np.tile(turns, whole), last))


def _without(wanted: NDArray[np.int64], made: NDArray[np.int64], n_items: int) -> NDArray[np.int64]:
    """List items that still lack searches, each as often as it lacks them."""
    lacking = np.bincount(wanted, minlength=n_items) - np.bincount(made, minlength=n_items)
    return np.repeat(np.arange(n_items), np.maximum(lacking, 0))
