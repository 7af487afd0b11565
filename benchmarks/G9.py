"""G9: made-up hotel reviews found with 10 % of the labels, in hotels that nobody trained on.

In: `--data`, a folder with `deceptive-opinion-spam`. Out: benchmarks/results/G9.json.

    OMP_NUM_THREADS=1 python benchmarks/G9.py --data DIR

Twenty hotels, ordered by a hash of their names. On the first eight the form of the teacher and the
weight of a made row were chosen; the other twelve are asked, four at a time, while all others are
trained on. One text in ten of the trained hotels has its label, drawn anew for every seed; the
others are texts alone. All arms fit the same linear SVM on words and pairs of words, whose C is
chosen in five folds of the labelled rows. Beside it stand `pieces_real` and `pieces_combined`: the
same on words and pieces of words of three and four characters.

A second look at the same twelve hotels, under draws of labels that the first did not ask (seeds 3
to 5). The first, with the teacher of `_content.py` and a weight of .3: +2.4 points [-.2, 4.9].
Tried on the first eight hotels, accuracy of the SVM on D and D'. Four draws: the first look's
teacher .807; ridge on words, marks and runs of characters .826, with a generative model of words
and marks beside it .810, with the encoder's vectors as well .835. One other draw: that last one
.844, without the generative model .834 (at a C of 1 .836), with a weight of 1 .855, with three
times the rounds .839. What was best in the four draws was fixed.
"""

import argparse
import gzip
import hashlib
import resource
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from zlib import crc32

import numpy as np
import polars as pl
from _content import Texts, arms, compared, judged, own_guess, training
from _order import kernel, runs_of, teach_order, two_hidden_classes, words_of
from _record import record

from shopsynth.schema import TrainingSet
from shopsynth.train.content.embedding_linear import encoded

SOURCE = Path("deceptive-opinion-spam") / "deceptive-opinion.csv.gz"
SEEDS = range(3, 6)
FOLD = 4
EXPLORED = 8
SHARE = 10
WEIGHT = 0.3
RIDGE = 3.0
OPTIONS = {"most_gram": 0}
LENGTH = 128
"""Tokens that the encoder reads."""

PIECES = {"least_gram": 3, "most_gram": 4}
Values = dict[str, np.ndarray]

GOAL = 0.05


def of_seed(table: pl.DataFrame, vectors: np.ndarray, asked: list[str], seed: int) -> Values:
    """Rightness of every asked text, arm by arm."""
    said = Texts(table["text"], (table["deceptive"] == "deceptive").to_numpy().astype(np.int64))
    of_arm: dict[str, list[np.ndarray]] = {}
    for start in range(0, len(asked), FOLD):
        inside = table["hotel"].is_in(asked[start : start + FOLD]).to_numpy()
        rng = np.random.Generator(np.random.PCG64([seed, start]))
        train = rng.permutation(np.flatnonzero(~inside))
        test = said.take(np.flatnonzero(inside))
        for arm, each in fold_values(seed, said.take(train), vectors[train], test).items():
            of_arm.setdefault(arm, []).append(each)
    found = {arm: np.concatenate(parts) for arm, parts in of_arm.items()}
    print(seed, {arm: round(float(each.mean()), 4) for arm, each in found.items()}, flush=True)
    return found


def fold_values(seed: int, train: Texts, vectors: np.ndarray, test: Texts) -> Values:
    """Rightness of every test text, arm by arm; the first tenth of the others has its labels."""

    def right(rows: TrainingSet, options: dict[str, object] = OPTIONS) -> np.ndarray:
        return judged("tfidf_linear", options, rows, test, ["accuracy"], seed)["accuracy"]

    n_known = train.classes.size // SHARE
    known, hidden = train.take(np.arange(n_known)), train.said.slice(n_known)
    texts = train.said.to_list()
    views = [kernel(each) for each in (words_of(texts), runs_of(texts), vectors)]
    generative = two_hidden_classes(texts, known.classes)
    made = Texts(hidden, teach_order(views, known.classes, c=RIDGE, beside=generative))
    found = {
        arm: right(training(known, rows, WEIGHT)) for arm, rows in arms(known, made, seed).items()
    }
    guess = own_guess("tfidf_linear", OPTIONS, known, hidden, seed)
    return found | {
        "pieces_real": right(training(known, None, WEIGHT), PIECES),
        "pieces_combined": right(training(known, made, WEIGHT), PIECES),
        "synthetic": right(training(made, None, 1.0)),
        "self_training": right(training(known, guess, WEIGHT)),
        "oracle": right(training(train, None, 1.0)),
    }


def vectors_of(texts: pl.Series) -> np.ndarray:
    return encoded(texts, "minilm", LENGTH)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--explore", action="store_true", help="ask the hotels of exploration")
    arguments = parser.parse_args()
    with gzip.open(arguments.data / SOURCE) as stream:
        content = stream.read()
    table = pl.read_csv(content)
    names = sorted(table["hotel"].unique().to_list(), key=lambda name: crc32(name.encode()))
    asked = names[:EXPLORED] if arguments.explore else names[EXPLORED:]
    with ProcessPoolExecutor(len(SEEDS), get_context("spawn")) as pool:
        parts = [part["text"] for part in table.iter_slices(-(-table.height // len(SEEDS)))]
        vectors = np.concatenate(list(pool.map(vectors_of, parts)))
        found = list(pool.map(partial(of_seed, table, vectors, asked), SEEDS))
    units = {arm: np.stack([each[arm] for each in found]) for arm in found[0]}
    if arguments.explore:
        return
    write(units, hashlib.sha256(content).hexdigest())


def write(units: Values, digest: str) -> None:
    """Record the differences."""
    others = [arm for arm in units if arm != "combined"]
    gains = {arm: compared(units["combined"], units[arm]) for arm in others}
    pieces = compared(units["pieces_combined"], units["pieces_real"])
    controls = ("oversample", "noise", "broken_link")
    above = all(gains[arm]["low"] > 0 for arm in ("real", "pieces_real", *controls))
    fair = gains["self_training"]["absolute"] >= -0.01
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    record(
        "G9",
        passed=above and fair and gains["real"]["absolute"] >= GOAL,
        reach="10 % of labels + D': 5 points of accuracy over the SVM on the same 10 %, interval "
        "above 0 over it, over one that sees pieces of words too, oversample, noise and "
        "broken_link; not below self-training",
        value=gains["real"]["absolute"],
        low=gains["real"]["low"],
        high=gains["real"]["high"],
        unit="accuracy over the arm real, the wider 95 % interval of units and of seeds and units",
        data=f"deceptive-opinion-spam, {digest[:16]}; 12 of 20 hotels asked, 4 at a time",
        seeds=len(SEEDS),
        cpu_s=sum(each.ru_utime + each.ru_stime for each in spent),
        peak_rss_mb=max(each.ru_maxrss for each in spent) / 1024,
        peer=("SVM on TF-IDF, the same 10 %", round(float(units["real"].mean()), 4)),
        note="D' is the trained hotels' unlabelled texts under a teacher's classes: no text is "
        "written. Teacher and weight were chosen on the 8 hotels that are not asked. A second "
        "look, exploratory: the first, at the same hotels under other draws of labels and with "
        "another teacher, was 0.0243 [-0.0017, 0.0486].",
        arms={arm: round(float(each.mean()), 4) for arm, each in units.items()},
        differences=gains | {"pieces_combined over pieces_real": pieces},
    )


if __name__ == "__main__":
    main()
