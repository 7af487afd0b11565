"""A WordNet and a Cilin of a few words, in the forms of the real files."""

import json
from pathlib import Path

_SENSES: dict[str, list[tuple[str, ...]]] = {
    "noun": [("bottle", "flask"), ("shoe", "footgear"), ("red", "redness"), ("paint", "pigment"),
             ("box", "case_knife"), ("scale", "balance"), ("drill", "borer")],
    "adj": [("large", "big"), ("soft", "gentle(p)"), ("black", "Black", "dark"), ("new", "fresh")],
}  # fmt: skip


def small_wordnet(folder: Path) -> Path:
    """Write index and data files; every sense is its word's first and was seen once."""
    for part, senses in _SENSES.items():
        data, index = "  1 licence\n", ["  1 licence"]
        for words in senses:
            place = len(data)
            named = " ".join(f"{word} 0" for word in words)
            data += f"{place:08d} 06 n {len(words):02x} {named} 000 | a thing\n"
            index += [f"{word.partition('(')[0].lower()} n 1 0 1 1 {place:08d}" for word in words]
        (folder / f"data.{part}").write_text(data)
        (folder / f"index.{part}").write_text("\n".join(index) + "\n")
    return folder


def small_cilin(folder: Path) -> Path:
    """Write a tree of two groups, one of them of words that are only related."""
    same = ["红色", "赤色", "丹"], ["便携", "轻便"], ["办公用品", "文具"]
    groups = {f"{place:02d}=": words for place, words in enumerate(same)}
    tree = {"A": {"tag": "", "sub": {"a": {"tag": "", "sub": groups | {"09#": ["男士", "外套"]}}}}}
    path = folder / "cilin_tree.json"
    path.write_text(json.dumps(tree), encoding="utf-8")
    return path
