"""How many texts a CPU second each edit of `augment_text` alters, with protected spans and filter.

In: a file of titles, one a line; the folder of WordNet. Out:
benchmarks/results/text_augmentation.json. Every run lays out the titles, finds their protected
spans, edits them and returns strings: what a caller waits for, less the import. The headline is the
slowest rule on the titles; edits for Chinese, which leave these titles mostly as they are, are told
apart. The label filter judges the variants of `synonyms` by the title's first letter's label, which
means nothing but costs what any 30 labels cost. Peers were measured on titles of the same file.

    OMP_NUM_THREADS=1 POLARS_MAX_THREADS=1 python benchmarks/text_augmentation.py TITLES WORDNET

With a third argument, ``models``, the edits that learn or ask somebody else are measured instead,
into text_augmentation_models.json: embedding neighbours on all titles, learning included, the
others on the first 500, with splade-tiny and Apertium, whose programs' CPU time counts.
"""

import hashlib
import os
import sys
import time
from pathlib import Path

import polars as pl
from _record import middle, record

from shopsynth.generate import LabelFilter, augment_text

RULES = ("swap", "delete", "insert", "keyboard", "spelling", "reorder_attributes", "units")
CHINESE = ("pinyin", "script")
REACH_RULES, REACH_SYNONYMS, REACH_FILTER = 150_000, 15_000, 2_000
MODELS = ("masked_lm", "contextual_insert", "back_translation")
N_FOR_MODELS = 500
REPEATS = 5
PEERS = {
    "textattack EDA": 46, "nlpaug synonyms": 1_161, "nlpaug spelling": 8_980,
    "nlpaug keyboard": 8_527, "nlpaug random": 12_360, "nlpcda delete": 16_425,
    "textaugment swap and delete": 98_039,
}  # fmt: skip


def cpu_seconds() -> float:
    """CPU time of this process and of the programs that it ran."""
    return sum(os.times()[:4])


def speed(
    titles: pl.Series,
    edit: str,
    options: dict,
    keep: LabelFilter | None = None,
    repeats: int = REPEATS,
) -> dict:
    """Texts a CPU second, the median of some runs, and the share of texts that came out altered."""
    augment_text(titles.head(100), {edit: options}, seed=0)
    speeds, altered = [], 0
    for repeat in range(repeats):
        start = cpu_seconds()
        made = augment_text(titles, {edit: options}, seed=repeat, keep=keep)
        speeds.append(titles.len() / (cpu_seconds() - start))
        altered = made.variants.height
    figures = {end: round(value) for end, value in middle(speeds).items()}
    return figures | {"altered": round(altered / titles.len(), 3)}


def models(file: str, wordnet: str) -> None:
    """Measure the edits that learn or ask somebody else."""
    started = cpu_seconds()
    titles = pl.Series(Path(file).read_text("utf-8").splitlines())
    some, lexicon = titles.head(N_FOR_MODELS), {"wordnet": wordnet}
    figures = {edit: speed(some, edit, {}, repeats=3) for edit in MODELS}
    figures["embedding_neighbours"] = speed(titles, "embedding_neighbours", lexicon, repeats=3)
    slowest = min(figures, key=lambda edit: figures[edit]["value"])
    record(
        "text_augmentation_models",
        passed=True,
        reach="none set: a record of what these edits cost",
        **{end: figures[slowest][end] for end in ("value", "low", "high")},
        unit=f"texts a CPU second of the slowest, {slowest}; median and range of 3",
        data=data_of(file, titles),
        seeds=3,
        cpu_s=cpu_seconds() - started,
        note="Measured on a busy machine. Embedding neighbours learn vectors from the titles in "
        "each run; the masked model is splade-tiny on one thread; Apertium's own CPU time counts.",
        edits=figures,
    )


def data_of(file: str, titles: pl.Series) -> str:
    digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]
    return f"{titles.len():,} product titles, sha256 {digest}"


def main(file: str, wordnet: str) -> None:
    started = time.process_time()
    titles = pl.Series(Path(file).read_text("utf-8").splitlines())
    lexicon: dict[str, object] = {"wordnet": wordnet}
    figures = {edit: speed(titles, edit, {}) for edit in RULES + CHINESE}
    figures["synonyms"] = speed(titles, "synonyms", lexicon)
    labels = titles.str.to_lowercase().str.slice(0, 1)
    figures["synonyms, filtered"] = speed(titles, "synonyms", lexicon, LabelFilter(labels), 3)
    slowest = min(RULES, key=lambda edit: figures[edit]["value"])
    passed = (
        figures[slowest]["value"] >= REACH_RULES
        and figures["synonyms"]["value"] >= REACH_SYNONYMS
        and figures["synonyms, filtered"]["value"] >= REACH_FILTER
    )
    record(
        "text_augmentation",
        passed=passed,
        reach="rules >= 150,000 texts a CPU second each, synonyms with protected spans >= 15,000, "
        "with the label filter >= 2,000",
        **{end: figures[slowest][end] for end in ("value", "low", "high")},
        unit=f"texts a CPU second of the slowest rule, {slowest}; median and range of {REPEATS}",
        data=data_of(file, titles),
        seeds=REPEATS,
        cpu_s=time.process_time() - started,
        peer=("textaugment swap and delete", PEERS["textaugment swap and delete"]),
        note="The peers protect nothing; their figures are from an earlier run on titles of the "
        "same file on a machine of the same kind.",
        edits=figures,
        peers=PEERS,
    )


if __name__ == "__main__":
    (models if sys.argv[3:] == ["models"] else main)(*sys.argv[1:3])
