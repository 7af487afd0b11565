"""G12: the class a search is about, from three examples a class.

In: `--data`, a folder with `wands-queries`. Out: benchmarks/results/G12.json.

    OMP_NUM_THREADS=1 python benchmarks/G12.py --data DIR

Asked are the classes with six searches or more: three of each have their class, drawn anew for
every seed, the others are the test. D' are rows made of the classes' names, which every shop has:
each name; every example with the name of its class behind it; and the class's phrases behind
qualifiers of searches whose class nobody told, those of classes that are not asked.

This is the second look at test. In the first, D' was phrases and qualifiers alone, all at weight
.1 and with two words of a qualifier at most: MiniLM .757 against .727, +3.0 points [.2, 6.5], 2.0
below the names used directly. What follows was chosen, and fixed before the second look, on the
classes of three to five searches, none of which is asked: macro-F1 with MiniLM at C 3, the mean of
ten draws of classes of four and five with two examples, ten with three, and five draws of all with
two. Examples alone had .600, names .715, names and named examples .729, these and qualified phrases
.735 at weight .1 (chosen) and .731 at .03. C 10 gave .607 to examples alone, so it is in the menu
of the base, and .730 to D'. No better than names, by more than draws differ, were all phrases, D'
of the first look at weights .1 to .4, two or three names' weight, WordNet's synonyms and kinds of
the names, searches of another shop under a teacher's classes, and more qualified phrases; e5-small
and both encoders side by side lift the base as well; a tuned encoder, with mixup and without, was
tried in one draw, where D' did not help it.
"""

import argparse
import hashlib
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from _content import Texts, arms, compared, judged, placed, training
from _record import record

from shopsynth.schema import TrainingSet
from shopsynth.text.stems import light_stems

SOURCE = Path("wands-queries") / "query.csv"
MODELS = {
    "tfidf_linear": {"least_gram": 3, "c": 1.0},
    "embedding_linear": {"model": "minilm", "max_length": 32, "c": 3.0},
}
RIVALS = {
    "embedding_linear, C 10": {"model": "minilm", "max_length": 32, "c": 10.0},
    "embedding_linear, e5-small": {"model": "e5-small", "max_length": 32, "c": 3.0},
}
"""What the best system without D' may be besides: without D' these did better in exploration."""

OURS = "embedding_linear"
SEEDS = range(5)
SHOTS = 3
LEAST, EXPLORED = 6, 4
WEIGHT = 0.1
"""Of a qualified phrase; a name and a named example weigh as much as an example."""

QUALIFIED = 8
GOAL = 0.05


def phrases_of(name: str) -> list[str]:
    """What people may call a class: its parts, each with the last word; as written and singular.

    `Coffee & Cocktail Tables`: coffee cocktail tables, coffee, cocktail tables, coffee tables, and
    each with table.
    """
    parts = [part.split() for part in re.split(r" & | and |, ?", name.lower())]
    whole = [word for part in parts for word in part]
    found = [whole, *parts, *(part + parts[-1][-1:] for part in parts[:-1])]
    singular = [light_stems(pl.Series(words)).to_list() for words in found]
    return list(dict.fromkeys(" ".join(words) for words in (*found, *singular)))


def made_searches(
    names: Sequence[str], known: Texts, loose: pl.Series, seed: int
) -> tuple[Texts, np.ndarray]:
    """Make rows for every class, and say what each weighs.

    Args:
        names: Of the classes, in the order of their numbers.
        known: Searches whose class is known.
        loose: Searches whose class is not known; all but their last word is a qualifier.
        seed: Of what is drawn.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    words = loose.str.split(" ").to_list()
    qualifiers = sorted({" ".join(each[:-1]) for each in words if len(each) > 1})
    said = [name.lower() for name in names]
    classes = list(range(len(names)))
    for text, number in zip(known.said.to_list(), known.classes.tolist(), strict=True):
        said.append(f"{text} {names[number].lower()}")
        classes.append(number)
    n_sure = len(said)
    for number, name in enumerate(names):
        phrases = phrases_of(name)
        said += [
            f"{qualifiers[rng.integers(len(qualifiers))]} {phrases[place % len(phrases)]}"
            for place in range(QUALIFIED)
        ]
        classes += [number] * QUALIFIED
    weights = np.where(np.arange(len(said)) < n_sure, 1.0, WEIGHT)
    return Texts(pl.Series("text", said), np.array(classes)), weights


def weighted(rows: TrainingSet, weights: np.ndarray) -> TrainingSet:
    """Give each row of an arm its own weight."""
    own = rows.rows.with_columns(pl.Series("weight", weights))
    return TrainingSet(replace(rows.data, reviews=own), rows.arm, rows.table)


def of_seed(
    table: pl.DataFrame, asked: list[str], seed: int, loose: pl.Series
) -> dict[str, dict[str, np.ndarray]]:
    """Macro-F1 values of every model and arm."""
    rows = table.filter(pl.col("class").is_in(asked))
    number = rows["class"].replace_strict(asked, list(range(len(asked)))).to_numpy()
    said = Texts(rows["text"], number.astype(np.int64))
    rng = np.random.Generator(np.random.PCG64(seed))
    order = rng.permutation(number.size)
    shots = np.concatenate([order[number[order] == each][:SHOTS] for each in range(len(asked))])
    known = said.take(shots)
    rest = np.setdiff1d(np.arange(number.size), shots)
    test = said.take(rest)
    made, weights = made_searches(asked, known, loose, seed)
    sets = arms(known, made, seed)
    # Short searches have fewer distinct edits than D' has rows: those that there are come again.
    sets["noise"] = sets["noise"].take(np.arange(weights.size) % sets["noise"].classes.size)
    sets |= {
        "names": Texts(pl.Series("text", [name.lower() for name in asked]), np.arange(len(asked)))
    }

    def values(model: str, options: dict[str, object], arm: str) -> np.ndarray:
        rows = training(known, sets[arm], 1.0)
        if sets[arm] is not None and arm != "names":
            rows = weighted(rows, np.concatenate([np.ones(shots.size), weights]))
        found = judged(model, options, rows, test, ["macro_f1"], seed)
        return placed(found["macro_f1"], rest, number.size)

    found = {model: {arm: values(model, of, arm) for arm in sets} for model, of in MODELS.items()}
    for rival, options in RIVALS.items():
        found[rival] = {arm: values("embedding_linear", options, arm) for arm in ("real", "names")}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--explore", action="store_true", help="ask the classes of exploration")
    arguments = parser.parse_args()
    path = arguments.data / SOURCE
    table = pl.read_csv(path, separator="\t").select(
        pl.col("query").alias("text"), pl.col("query_class").alias("class")
    ).drop_nulls()  # fmt: skip
    sizes = Counter(table["class"].to_list())
    least, most = (EXPLORED, LEAST - 1) if arguments.explore else (LEAST, table.height)
    asked = sorted(name for name, n in sizes.items() if least <= n <= most)
    loose = table.filter(~pl.col("class").is_in(asked))["text"]
    values: dict[str, dict[str, list[np.ndarray]]] = {model: {} for model in (*MODELS, *RIVALS)}
    for seed in SEEDS:
        for model, found in of_seed(table, asked, seed, loose).items():
            for arm, each in found.items():
                values[model].setdefault(arm, []).append(each)
    means = {
        model: {arm: round(float(np.nanmean(of)), 4) for arm, of in found.items()}
        for model, found in values.items()
    }
    print(len(asked), "classes", means, flush=True)
    if not arguments.explore:
        write(values, means, len(asked), hashlib.sha256(path.read_bytes()).hexdigest())


def write(
    values: dict[str, dict[str, list[np.ndarray]]],
    means: dict[str, dict[str, float]],
    n_classes: int,
    digest: str,
) -> None:
    """Record the differences of the chosen system with D' from the best without, and all others."""
    best = max(means, key=lambda model: means[model]["real"])
    combined = np.stack(values[OURS]["combined"])
    gains = {
        f"{model} {arm}": compared(combined, np.stack(of))
        for model, found in values.items()
        for arm, of in found.items()
        if (model, arm) != (OURS, "combined")
    }
    goal = gains[f"{best} real"]
    controls = [f"{OURS} {arm}" for arm in ("real", "oversample", "noise", "broken_link")]
    record(
        "G12",
        passed=goal["absolute"] >= GOAL
        and all(gains[name]["low"] > 0 for name in (f"{best} real", *controls))
        and gains[f"{OURS} names"]["absolute"] >= -0.01,
        reach="3 examples a class + D': 5 points of macro-F1 over the best model on the same "
        "examples, interval above 0 over it and over oversample, noise and broken_link; not below "
        "the names used directly",
        value=goal["absolute"],
        low=goal["low"],
        high=goal["high"],
        unit=f"macro-F1 of {OURS} on D and D' over {best} on D, the wider 95 % interval of units "
        "and of seeds and units",
        data=f"wands-queries, {digest[:16]}; {n_classes} classes",
        seeds=len(SEEDS),
        cpu_s=time.process_time(),
        peer=(best, means[best]["real"]),
        note="A second look at test: in the first, D' was phrases of the names alone and behind "
        "qualifiers: .757 against .727, +.030 [.002, .065], .020 below the names used directly. "
        "D' is now the names, the examples with their class's name behind them and qualified "
        "phrases, chosen on classes that are not asked; the script's docstring tells what was "
        "tried. `names` is one row a class with its name. Linear models have no steps: the arm "
        "same_compute would be the arm real. A search that one seed shows as an example is asked "
        "by others.",
        arms=means,
        differences=gains,
    )


if __name__ == "__main__":
    main()
