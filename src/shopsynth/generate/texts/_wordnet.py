"""Synonyms of English words from the files of WordNet.

In: a folder with ``index.noun``, ``data.noun`` and their like (Princeton's ``dict``, Debian's
``wordnet-base``, NLTK's corpus). Out: the synonyms of one word in its most usual sense.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from shopsynth.schema import SourceError

PARTS = ("noun", "adj", "adv", "verb")
_PLACES = ("/usr/share/wordnet", "/usr/local/share/wordnet", "/opt/homebrew/share/wordnet")
_ENDINGS = (("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("sses", "ss"), ("s", ""))
"""Detachment of plurals, of Morphy's rules (morphy(7WN)) those a shop's nouns have."""


@dataclass(frozen=True)
class WordNet:
    """The parts of speech of WordNet.

    Attributes:
        usual: Word to its most usual sense of any part of speech: the part, and the place of
            that sense in the part's data file.
        data: The data file of each part.
    """

    usual: dict[str, tuple[str, int]]
    data: dict[str, bytes]

    def synonyms(self, word: str, parts: frozenset[str]) -> tuple[str, ...]:
        """List other words of the most usual sense, in small letters; plural for a plural.

        Args:
            word: In small letters.
            parts: Parts of speech that may be replaced; the most usual sense must be one of them.
        """
        lemma = word
        if word not in self.usual:
            lemma = _singular(word, self.usual)
        part, place = self.usual.get(lemma, ("", 0))
        if part not in parts or (lemma != word and part != "noun"):
            return ()
        # Redness for red and vantage for advantage are other forms of the word, not other words.
        same = [
            name
            for name in self._members(part, place)
            if lemma not in name and name not in lemma and name != word
        ]
        return tuple(same if lemma == word else map(_plural, same))

    def kind(self, word: str) -> str:
        """Name the part of speech of a word's most usual sense, and of a noun its number.

        Args:
            word: In small letters.

        Returns:
            Empty for a word that WordNet lacks.
        """
        if word in self.usual:
            return self.usual[word][0]
        lemma = _singular(word, self.usual)
        return "nouns" if self.usual.get(lemma, ("",))[0] == "noun" and lemma != word else ""

    def _members(self, part: str, place: int) -> list[str]:
        """Read one sense; names, which WordNet writes with capitals, are no synonyms."""
        data = self.data[part]
        fields = data[place : data.index(b"\n", place)].split(b" ")
        n_words = int(fields[3], 16)
        names = [field.decode("ascii", "replace") for field in fields[4 : 4 + 2 * n_words : 2]]
        plain = [name.partition("(")[0].replace("_", " ") for name in names]
        return [name for name in plain if name.islower() and not any(map(str.isdigit, name))]


def find_wordnet(path: str | None) -> Path:
    """Find WordNet's folder.

    Raises:
        SourceError: If none is given and none is where systems install it, or it is none.
    """
    places = [Path(path)] if path is not None else [Path(place) for place in _PLACES]
    for place in places:
        if all((place / f"{kind}.noun").is_file() for kind in ("index", "data")):
            return place
    raise SourceError(
        "augment_text.synonyms: expected WordNet's folder with index.noun and data.noun, got "
        + ("no such folder; give" if path is None else "a folder without them; give")
        + " its path as wordnet (Debian's package is wordnet-base), or set wordnet = false"
    )


@lru_cache(maxsize=2)
def read_wordnet(folder: Path) -> WordNet:
    """Read WordNet: about half a CPU second for all parts of speech.

    Raises:
        SourceError: If a file is no file of WordNet.
    """
    usual: dict[str, tuple[str, int]] = {}
    counts: dict[str, int] = {}
    data = {}
    for part in PARTS:
        index = folder / f"index.{part}"
        if not index.is_file():
            continue
        data[part] = (folder / f"data.{part}").read_bytes()
        try:
            _read_index(index.read_text("utf-8"), part, usual, counts)
        except (ValueError, IndexError) as error:
            raise SourceError(
                f"augment_text.synonyms: expected index.{part} to be a file of WordNet 3, got "
                "lines of another form; give the folder of its dict files"
            ) from error
    return WordNet(usual, data)


def _read_index(
    text: str, part: str, usual: dict[str, tuple[str, int]], counts: dict[str, int]
) -> None:
    """Note each word's first sense, if it is more usual than that of another part of speech."""
    for line in text.splitlines():
        # The licence, at the head of each file, is indented.
        if line.startswith(" ") or not line:
            continue
        fields = line.split()
        word = fields[0].replace("_", " ")
        n_senses = int(fields[2])
        # Of the senses' counts in tagged texts only their number is in the index; the order of
        # PARTS decides between those that have as many.
        tagged = int(fields[-n_senses - 1])
        if word not in counts or tagged > counts[word]:
            counts[word] = tagged
            usual[word] = (part, int(fields[-n_senses]))


def _singular(word: str, known: dict[str, tuple[str, int]]) -> str:
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and (lemma := word.removesuffix(ending) + instead) in known:
            return lemma
    return word


def _plural(word: str) -> str:
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")
