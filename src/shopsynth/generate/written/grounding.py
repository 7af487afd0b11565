"""Whether a text states only what its record says.

In: texts, the records they were made of, the shop's catalogue. Out: for each text the reason why it
must not be used, or nothing.

A text states something where it has a number, size, quantity, model, price or denial
(:mod:`shopsynth.text.spans`), a word of colour or material, a brand of the shop, or a value of one
of its attributes. Each must stand in the record: a span as it is, in one cell; a value of a cell
that is one number may be told with the words of its column (``weight_kg`` 3: "3 kg"). Where it is
not sure, a text is refused: asking again costs a fraction of a cent, a made-up size a returned
parcel.

Not for: claims in other words ("keeps coffee hot for hours", "a gift for every mother"). No list
holds those; a person reads the preview.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import polars as pl

from shopsynth.generate.llm import Cell
from shopsynth.generate.written.phrases import Words, has_phrase, is_number, words_of
from shopsynth.generate.written.records import Records
from shopsynth.text.spans import protected_spans
from shopsynth.text.variants import COLOURS

NUMBER, DENIAL, MARKUP, BRAND, VALUE, LOOK = (
    "number_not_in_record",
    "denial_not_in_record",
    "markup",
    "brand_not_in_record",
    "attribute_not_in_record",
    "colour_or_material_not_in_record",
)

_MATERIALS = """
    acrylic alloy aluminium aluminum bamboo brass canvas cardboard cashmere ceramic chiffon cork
    corduroy cotton crystal felt fleece foam fur glass granite iron jute lace latex leather linen
    marble mdf mesh metal microfiber microfibre nickel nylon oak paper pine plastic polyester
    polypropylene porcelain pvc rattan resin rubber satin silicone silk steel stone stoneware suede
    tin vinyl viscose wax wicker wood wool zinc
    holz leder baumwolle stahl glas kunststoff bois cuir coton acier verre madera cuero algodón
"""
_HAN = (
    "红色 黑色 白色 蓝色 绿色 黄色 粉色 紫色 灰色 棕色 橙色 金色 银色 米色 咖啡色 透明 "
    "纯棉 棉质 真皮 皮革 不锈钢 塑料 实木 木质 竹 玻璃 陶瓷 金属 合金 铝 羊毛 真丝 丝绸 涤纶 亚麻 "
    "硅胶 橡胶"
)
_ENDINGS = ("n", "en", "s", "es", "y", "ed")
"""What a word of the record may end with beside: wood and wooden, silver and silvery."""

_MOST_VALUES = 0.2
"""Of the items: a column with more different values holds names, not a vocabulary."""

_OWN = 0.5
"""Least share of the titles with a word that are of its brand: else it is a word like any other."""

_MOST_WORDS = 4
"""Words of a value: what is longer is a sentence."""


@dataclass(frozen=True)
class Grounds:
    """What the shop's texts may state at all.

    Attributes:
        phrases: First word to the phrases that begin with it, each with its reason.
    """

    phrases: Mapping[str, tuple[tuple[Words, str], ...]]

    @classmethod
    def of(cls, records: Records) -> Self:
        """Gather colours, materials, brands and values of attributes."""
        found = dict.fromkeys(words_of(f"{COLOURS} {_MATERIALS} {_HAN}".split()), LOOK)
        for name in records.fields:
            if name in ("title", "description") or records.items.schema[name] != pl.String:
                continue
            values = records.items[name].drop_nulls().unique().sort()
            if name != "brand" and values.len() > max(20, _MOST_VALUES * records.items.height):
                continue
            kinds = words_of(values.to_list())
            own = _own_words(records.items, name, kinds) if name != "category" else set()
            for words in kinds:
                if _tells(words, own):
                    found.setdefault(words, BRAND if name == "brand" else VALUE)
        by_first: dict[str, list[tuple[Words, str]]] = {}
        for words, reason in sorted(found.items()):
            by_first.setdefault(words[0], []).append((words, reason))
        return cls({first: tuple(listed) for first, listed in by_first.items()})

    def strays(
        self,
        texts: Sequence[str],
        facts: Sequence[Mapping[str, Cell]],
        *,
        everyday: bool = False,
    ) -> list[str]:
        """Find texts that state what their records do not.

        Args:
            texts: Texts.
            facts: What each may state: column to cell.
            everyday: Whether people speak, who deny and count in words ("one of us did not like
                it"): then only numbers in digits, names, brands, values and looks are asked for.

        Returns:
            A reason a text, or "".

        Example:
            >>> grounds = Grounds({"red": ((("red",), LOOK),)})
            >>> mug = {"title": "Blue mug 300 ml", "weight_kg": 0.5}
            >>> grounds.strays(["mug of 300 ml, 0.5 kg", "a 500 ml mug", "red mug"], [mug] * 3)
            ['', 'number_not_in_record', 'colour_or_material_not_in_record']
        """
        known = [_Facts.of(each) for each in facts]
        reasons = [""] * len(texts)
        words = words_of(texts)
        for number, (text, fact) in enumerate(zip(words, known, strict=True)):
            reasons[number] = self._stray_phrase(text, fact)
        spans = protected_spans(pl.Series(texts, dtype=pl.String))
        marked = [
            (row, texts[row][start:stop], kind)
            for row, start, stop, kind in spans.iter_rows()
            if not reasons[row]
        ]
        said = words_of([span for _, span, _ in marked])
        for (row, span, kind), phrase in zip(marked, said, strict=True):
            fault = _stray_span(span, kind, phrase, known[row], everyday=everyday)
            reasons[row] = reasons[row] or fault
        return reasons

    def _stray_phrase(self, text: Words, facts: "_Facts") -> str:
        for place, word in enumerate(text):
            for phrase, reason in self.phrases.get(word, ()):
                here = text[place : place + len(phrase)] == phrase
                if here and not facts.says(phrase) and not facts.says_nearly(phrase):
                    return reason
        return ""


@dataclass(frozen=True)
class _Facts:
    """Words of a record.

    Attributes:
        cells: Words of each cell, and of the name of its column.
    """

    cells: tuple[tuple[Words, Words], ...]

    @classmethod
    def of(cls, facts: Mapping[str, Cell]) -> Self:
        told = [str(cell) for cell in facts.values()]
        names = [name.replace("_", " ") for name in facts]
        return cls(tuple(zip(words_of(told), words_of(names), strict=True)))

    def says(self, phrase: Words) -> bool:
        return any(has_phrase(cell, phrase) for cell, _ in self.cells)

    def says_nearly(self, phrase: Words) -> bool:
        """Tell whether one word stands here with another ending."""
        (word, *more) = phrase
        return not more and any(
            word == known + ending or known == word + ending
            for cell, _ in self.cells
            for known in cell
            for ending in _ENDINGS
        )

    def says_number(self, phrase: Words) -> bool:
        """Tell whether a cell is just this number, and its column names the rest."""
        numbers = tuple(word for word in phrase if is_number(word))
        rest = {word for word in phrase if not is_number(word)}
        return bool(numbers) and any(
            cell == numbers and rest <= set(name) for cell, name in self.cells
        )


def _stray_span(span: str, kind: str, phrase: Words, facts: _Facts, *, everyday: bool) -> str:
    if kind == "markup":
        return MARKUP
    spoken = kind == "negation" or not any(map(is_number, phrase))
    if not phrase or (everyday and spoken and kind != "name"):
        return ""
    if kind not in ("name", "code"):
        # A span may begin with the word before its number: "weighs 0.40 kg".
        first = next((place for place, word in enumerate(phrase) if not word.isalpha()), 0)
        phrase = phrase[first:]
    if facts.says(phrase) or facts.says_number(phrase):
        return ""
    # A name that is one word of capitals alone says nothing of the product.
    if kind == "name" and everyday and not any(map(str.isdecimal, span)):
        return ""
    return DENIAL if kind == "negation" else NUMBER


def _tells(words: Words, own: set[str]) -> bool:
    """Tell whether a value is one that people name: no number alone, no sentence, no usual word."""
    if not words or len(words) > _MOST_WORDS or all(map(is_number, words)):
        return False
    return len(words) > 1 or words[0] in own


def _own_words(items: pl.DataFrame, column: str, values: Sequence[Words]) -> set[str]:
    """Find values of one word that mostly stand in titles of items which have the value."""
    single = {words[0] for words in values if len(words) == 1}
    if not single or "title" not in items.columns:
        return single
    rows = items.select("title", column).drop_nulls("title")
    n_all: Counter[str] = Counter()
    n_own: Counter[str] = Counter()
    cells = words_of(rows[column].fill_null("").to_list())
    for title, cell in zip(words_of(rows["title"].to_list()), cells, strict=True):
        for word in single.intersection(title):
            n_all[word] += 1
            n_own[word] += word in cell
    return {word for word in single if n_own[word] >= _OWN * n_all[word]}
