"""Make the tables that names are found by, from dictionaries that are not in this repository.

In: the dictionary of jieba (MIT, https://github.com/fxsjy/jieba: a word, its count and its part of
speech a line) and the name files of the US census of 1990 (public domain: a name, its share, its
cumulated share and its rank a line).
Out: four files beside the finder of names.

    python scripts/name_tables.py dict.txt dist.male.first dist.female.first dist.all.last
"""

import gzip
import re
import sys
from collections import Counter
from pathlib import Path

from shopsynth.privacy.pii.lexicon_zh import COMPOUND_SURNAMES, SURNAMES

FOLDER = Path(__file__).parents[1] / "src" / "shopsynth" / "privacy" / "pii"
HAN = re.compile(r"[\u3400-\u9fff]+")
LONGEST, FEWEST, FAMOUS, N_SURNAMES = 4, 5, 100, 10_000


def chinese(dictionary: Path) -> None:
    words: Counter[str] = Counter()
    characters: dict[str, Counter[str]] = {place: Counter() for place in ("S", "1", "2", "0")}
    for line in dictionary.read_text(encoding="utf-8").splitlines():
        word, count, speech = line.split()
        if not HAN.fullmatch(word):
            continue
        if not speech.startswith("nr") or len(word) == 1:
            if len(word) == 1 or (len(word) <= LONGEST and int(count) >= FEWEST):
                words[word] += int(count)
            continue
        if len(word) > 2 and int(count) >= FAMOUS and len(word) <= LONGEST:
            # People and figures that books are about: a text that names them speaks of a work.
            words[word] += int(count)
        if word[0] in SURNAMES and not re.match(COMPOUND_SURNAMES, word) and len(word) <= 3:
            characters["S"][word[0]] += 1
            for place, character in zip("12" if len(word) == 3 else "0", word[1:], strict=True):
                characters[place][character] += 1
    head = "# Words of jieba's dictionary (MIT, Copyright (c) 2013 Sun Junyi) and their counts.\n"
    body = "".join(f"{word} {count}\n" for word, count in sorted(words.items()))
    with (FOLDER / "words_zh.txt.gz").open("wb") as file:
        file.write(gzip.compress((head + body).encode(), mtime=0))
    head = (
        "# How often a character is a surname, first, second or only of a given name (as above).\n"
    )
    every = sorted(set().union(*characters.values()))
    body = "".join(f"{c} {' '.join(str(characters[p][c]) for p in 'S120')}\n" for c in every)
    (FOLDER / "name_characters_zh.txt").write_text(head + body, encoding="utf-8")


def census(name: str, files: list[Path], what: str, most: int | None) -> None:
    names = {
        line.split()[0].lower() for file in files for line in file.read_text().splitlines()[:most]
    }
    head = f"# {what} of the US Census Bureau's 1990 name files (public domain), one a line.\n"
    (FOLDER / name).write_text(head + "\n".join(sorted(names)) + "\n", encoding="ascii")


def main() -> None:
    dictionary, male, female, last = map(Path, sys.argv[1:])
    chinese(dictionary)
    census("census_given.txt", [male, female], "All given names", None)
    census("census_surnames.txt", [last], "The 10,000 most frequent surnames", N_SURNAMES)


if __name__ == "__main__":
    main()
