"""Review rating with 200 labels: stars of English reviews, product categories of Chinese ones.

In: `--data`, a folder with `womens-clothing-reviews` and `zh-online-shopping-10cats`; `--set` names
one of the two. Out: benchmarks/results/review_rating_<set>.json.

    OMP_NUM_THREADS=1 python benchmarks/review_rating.py --data DIR --set en

Texts are ordered by a hash: some are asked, and of others a draw of 200, anew for every seed, has
its label; the rest are texts alone. Every arm fits both models, a linear classifier on TF-IDF and
one on a frozen sentence encoder. The headline is the best model with D' against the better of both
without. The weight of a made row is that of G9, the C of the encoder's classifier that of G12, the
other one is 1.

Chinese is a first look: nothing was chosen on the set. English is a second look. The first asked
texts 0 to 499, with the teacher of `_content.py` and 700 unlabelled texts: -.2 points [-5.3, 4.9].
For the second, the teacher of `_order.py` was chosen on texts 10,000 to 14,499 (three draws of
labels, 2,000 asked; gain over the encoder alone: TF-IDF on D and D' +5.9 points with the order of
stars and rounds of guesses, +4.5 without rounds; the encoder on D and D' +4.1), and texts that no
look had asked are asked once. The arm `order` is that teacher on the 200 labels alone, used
directly, its classes cut where it cuts the unlabelled texts.
"""

import argparse
import gzip
import hashlib
import time
from pathlib import Path
from zlib import crc32

import numpy as np
import polars as pl
from _content import Texts, arms, compared, judged, own_guess, scored, teach, training
from _order import kernel, order_scores, prior_of, teach_order, words_of
from _record import record

from shopsynth.train.content.embedding_linear import encoded

SETS = {
    "en": ("womens-clothing-reviews/Womens_Clothing_E-Commerce_Reviews.csv.gz", "minilm"),
    "zh": ("zh-online-shopping-10cats/online_shopping_10_cats.csv.gz", "e5-small"),
}
SEEDS = range(3)
LABELS = 200
PLACES = {"en": (18_000, 19_500, 16_000, 17_700), "zh": (0, 500, 500, 1_400)}
"""First and last asked text, then first and last of the others, of which 200 have their label."""

RIDGE = 1.0
LENGTH = 48
"""Tokens that the encoder reads: its time is nearly all of the benchmark's."""

WEIGHT = 0.3
GOAL = 0.03
NOTES = {
    "en": ". A second look, exploratory: the first, of 500 other texts with 700 unlabelled ones "
    "and a teacher without order, was -0.0018 [-0.0529, 0.0487]. The teacher was chosen on texts "
    "that neither look asks. `order` is that teacher on the labels alone, asked itself; D' must "
    "not be below it by more than a point.",
    "zh": "",
}
METRIC = "macro_f1"


def read(data: Path, name: str) -> tuple[Texts, str]:
    """Distinct texts with their class, ordered by a hash of the text; the file's hash."""
    with gzip.open(data / SETS[name][0]) as stream:
        content = stream.read()
    table = pl.read_csv(content)
    if name == "en":
        said = pl.concat_str("Title", "Review Text", separator=" ", ignore_nulls=True)
        table = table.filter(pl.col("Review Text").is_not_null())
        table = table.select(said.alias("text"), pl.col("Rating").alias("class"))
    else:
        table = table.select(pl.col("review").alias("text"), pl.col("cat").alias("class"))
    table = table.drop_nulls().unique("text", keep="first", maintain_order=True)
    place = [crc32(text.encode()) for text in table["text"].to_list()]
    table = table.with_columns(pl.Series("place", place)).sort("place", "text")
    number = table["class"].rank("dense").cast(pl.Int64).to_numpy() - 1
    return Texts(table["text"], number), hashlib.sha256(content).hexdigest()


def models(name: str) -> dict[str, dict[str, object]]:
    grams = {"least_gram": 1, "most_gram": 3} if name == "zh" else {"least_gram": 3, "most_gram": 4}
    return {
        "tfidf_linear": {"c": 1.0, **grams},
        "embedding_linear": {"model": SETS[name][1], "max_length": LENGTH, "c": 3.0},
    }


def of_seed(said: Texts, name: str, seed: int) -> dict[str, dict[str, np.ndarray]]:
    """Values of every model and arm."""
    first, last, start, end = PLACES[name]
    test = said.take(np.arange(first, last))
    rng = np.random.Generator(np.random.PCG64(seed))
    pool = start + rng.permutation(end - start)
    known, hidden = said.take(pool[:LABELS]), said.said.gather(pool[LABELS:])
    vectors = encoded(pl.concat([known.said, hidden]), SETS[name][1], LENGTH)
    found: dict[str, dict[str, np.ndarray]] = {}
    if name == "en":
        words = words_of([*known.said, *hidden])
        classes = teach_order([kernel(words), kernel(vectors)], known.classes, c=RIDGE)
        found["order"] = {"real": by_order(known, hidden, test)}
    else:
        centred = (vectors - vectors.mean(axis=0)) / (vectors.std() * np.sqrt(vectors.shape[1]))
        classes = teach(known, hidden, [centred])
    sets = arms(known, Texts(hidden, classes), seed)
    for model, options in models(name).items():
        found[model] = {
            arm: judged(model, options, training(known, rows, WEIGHT), test, [METRIC], seed)[METRIC]
            for arm, rows in sets.items()
        }
        guess = own_guess(model, options, known, hidden, seed)
        rows = training(known, guess, WEIGHT)
        found[model]["self_training"] = judged(model, options, rows, test, [METRIC], seed)[METRIC]
    return found


def by_order(known: Texts, hidden: pl.Series, test: Texts) -> np.ndarray:
    """Values of the teacher that learned from the labels alone, asked itself."""
    texts = [*known.said, *hidden, *test.said]
    vectors = encoded(pl.Series("text", texts), SETS["en"][1], LENGTH)
    views = [kernel(words_of(texts)), kernel(vectors)]
    scores = order_scores(views, known.classes, c=RIDGE, rounds=())[LABELS:]
    unlabelled, asked = scores[: hidden.len()], scores[hidden.len() :]
    cuts = np.quantile(unlabelled, np.cumsum(prior_of(known.classes))[:-1])
    return scored(np.searchsorted(cuts, asked), test, [METRIC])[METRIC]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", choices=sorted(SETS), required=True)
    arguments = parser.parse_args()
    said, digest = read(arguments.data, arguments.set)
    values: dict[str, dict[str, list[np.ndarray]]] = {}
    for seed in SEEDS:
        for model, found in of_seed(said, arguments.set, seed).items():
            for arm, each in found.items():
                values.setdefault(model, {}).setdefault(arm, []).append(each)
        print(seed, f"{time.process_time():.0f} CPU s", flush=True)
    means = {
        model: {arm: round(float(np.mean(of)), 4) for arm, of in found.items()}
        for model, found in values.items()
    }
    print(means, f"{time.process_time():.0f} CPU s", flush=True)
    write(arguments.set, values, means, digest)


def write(
    name: str,
    values: dict[str, dict[str, list[np.ndarray]]],
    means: dict[str, dict[str, float]],
    digest: str,
) -> None:
    """Record the differences of the best system with D' from all others."""
    ours = max(models(name), key=lambda model: means[model]["combined"])
    combined = np.stack(values[ours]["combined"])
    gains = {
        f"{model} {arm}": compared(combined, np.stack(of))
        for model, found in values.items()
        for arm, of in found.items()
        if (model, arm) != (ours, "combined")
    }
    best = max(models(name), key=lambda model: means[model]["real"])
    rivals = [f"{model} {arm}" for model in models(name) for arm in ("real", "noise")]
    controls = [f"{ours} {arm}" for arm in ("oversample", "broken_link")]
    goal = gains[f"{best} real"]
    record(
        f"review_rating_{name}",
        passed=all(gains[rival]["absolute"] >= GOAL for rival in rivals)
        and all(gains[rival]["low"] > 0 for rival in (*rivals, *controls))
        and gains.get("order real", {"absolute": 0.0})["absolute"] >= -0.01,
        reach="200 labels + D': 3 points of macro-F1 over TF-IDF and over the sentence encoder on "
        "the same labels, and over both with EDA noise; interval above 0 over these, oversample "
        "and broken_link",
        value=goal["absolute"],
        low=goal["low"],
        high=goal["high"],
        unit=f"macro-F1 of {ours} on D and D' over {best} on D, the wider 95 % interval of units "
        "and of seeds and units",
        data=f"{SETS[name][0]}, {digest[:16]}; {combined.shape[1]} texts asked",
        seeds=len(SEEDS),
        cpu_s=time.process_time(),
        peer=(best, means[best]["real"]),
        note=f"D' is {PLACES[name][3] - PLACES[name][2] - LABELS} unlabelled real texts under a "
        f"teacher's classes, none written; the encoder reads {LENGTH} tokens" + NOTES[name],
        arms=means,
        differences=gains,
    )


if __name__ == "__main__":
    main()
