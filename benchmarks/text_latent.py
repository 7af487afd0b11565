"""What `text_vae` and `text_gan` write of women's clothing reviews, beside as many real reviews.

In: the file of women's clothing reviews. Out: benchmarks/results/text_latent.json. Both learn from
8,000 reviews conditioned on the rating, the GAN in the autoencoder that the VAE learned
(checkpoint_folder). Made and real texts are measured the same way; real ones are held back from
both. Recognisability: logistic regression on TF-IDF of the real training reviews names the rating.

    OMP_NUM_THREADS=1 POLARS_MAX_THREADS=1 python benchmarks/text_latent.py REVIEWS.csv.gz
"""

import hashlib
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
from _record import record
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score

from shopsynth.evaluate.text_diversity import compare_diversity
from shopsynth.generate import make_synthesizer
from shopsynth.generate.language.copies import Copies
from shopsynth.privacy import PrivateView
from shopsynth.schema import Dataset

N_LEARNED, N_MADE = 8_000, 800
OPTIONS = {
    "conditions": ["rating"], "max_epochs": 3, "vocabulary": 1500, "dim": 96, "hidden_states": 192,
    "learning_rate": 0.006,
}  # fmt: skip
N_DIRECTIONS = 50
REACH_COVERAGE, REACH_CLUSTER = 0.5, 0.01
FACTS = {
    "loss": "loss_",
    "pieces_named": "accuracy_",
    "gain": "gain_",
    "collapsed": "collapsed_",
    "steps": "steps_",
}
"""What a fit tells, as the result calls it: ``accuracy`` there is that of ratings."""


def reviews_of(file: str) -> pl.DataFrame:
    """Reviews with different texts in a fixed order, as the table wants them."""
    read = pl.read_csv(file, infer_schema_length=0)
    reviews = read.select(
        item_id="Clothing ID", text="Review Text", rating=pl.col("Rating").cast(pl.Float64)
    )
    reviews = reviews.filter(pl.col("text").str.strip_chars() != "")
    reviews = reviews.unique("text", keep="first", maintain_order=True)
    order = np.random.Generator(np.random.PCG64(0)).permutation(reviews.height)
    return (
        reviews[order]
        .with_row_index("n")
        .select(pl.format("r{}", "n").alias("review_id"), pl.exclude("n"))
    )


class Reader:
    """What is learned from real texts to look at others."""

    def __init__(self, learned: pl.DataFrame) -> None:
        self._words = TfidfVectorizer(sublinear_tf=True, min_df=2, ngram_range=(1, 2))
        known = self._words.fit_transform(learned["text"].to_list())
        self._directions = TruncatedSVD(N_DIRECTIONS, random_state=0).fit(known)
        self._rating = LogisticRegression(max_iter=300).fit(known, learned["rating"].to_numpy())

    def vectors(self, texts: pl.Series) -> np.ndarray:
        return self._directions.transform(self._words.transform(texts.to_list()))

    def recognised(self, reviews: pl.DataFrame) -> dict[str, float]:
        """How often the rating is named, over all reviews and as a mean over ratings."""
        told = self._rating.predict(self._words.transform(reviews["text"].to_list()))
        real = reviews["rating"].to_numpy()
        return {
            "accuracy": round(float((told == real).mean()), 3),
            "balanced_accuracy": round(float(balanced_accuracy_score(real, told)), 3),
        }


def main(file: str) -> None:
    started = time.process_time()
    reviews = reviews_of(file)
    learned, held_back = reviews[:N_LEARNED], reviews[N_LEARNED : N_LEARNED + 4 * N_MADE]
    items = reviews.select(pl.col("item_id").unique().sort())
    data = Dataset(items=items, reviews=learned)
    view = PrivateView(data, mode="public", fingerprint="0" * 64, max_events_per_user=100)
    reader, copies = Reader(learned), Copies.of(learned["text"])
    figures: dict[str, dict] = {"real": reader.recognised(held_back)}
    figures["real"]["copies"] = round(float(copies.among(held_back["text"]).mean()), 4)
    with tempfile.TemporaryDirectory() as folder:
        for method in ("text_vae", "text_gan"):
            begun = time.process_time()
            options = OPTIONS | {"checkpoint_folder": folder}
            synthesizer = make_synthesizer(method, options).fit(view, seed=1)
            fitted = time.process_time()
            made = synthesizer.sample(N_MADE, seed=2).data.need("reviews")
            drawn = synthesizer.drawn_
            own, real = compare_diversity(
                made["text"], held_back["text"][: 2 * N_MADE], vectors=reader.vectors, seed=0
            )
            figures["real"] |= rounded(asdict(real))
            figures[method] = (
                rounded(asdict(own))
                | reader.recognised(made)
                | rounded({told: getattr(synthesizer, name) for told, name in FACTS.items()})
                | {"copies": round(drawn.n_copies / (drawn.n_copies + N_MADE), 4)}
                | {"fit_cpu_s": round(fitted - begun, 1)}
                | {"sample_cpu_s": round(time.process_time() - fitted, 1)}
                | {"examples": made["text"].head(3).to_list()}
            )
            if method == "text_vae":
                figures[method]["active"] = synthesizer.active_
            else:
                figures[method]["distances"] = rounded(asdict(synthesizer.distances_))
    made = [figures[method] for method in ("text_vae", "text_gan")]
    shares = [one["coverage"] / figures["real"]["coverage"] for one in made]
    record(
        "text_latent",
        passed=min(shares) >= REACH_COVERAGE
        and all(one["largest_cluster"] <= REACH_CLUSTER and not one["collapsed"] for one in made),
        reach=f"no collapse: coverage at least {REACH_COVERAGE} of the real one's, no group of "
        f"near duplicates above {REACH_CLUSTER:.0%} of the texts, z used",
        value=round(min(shares), 3),
        low=round(min(shares), 3),
        high=round(max(shares), 3),
        unit="coverage of held-back reviews over that of as many real ones; the lesser method, and "
        "both",
        data=f"women's clothing reviews, {N_LEARNED:,} learned from, {held_back.height:,} held "
        f"back, sha256 {hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]}",
        seeds=1,
        cpu_s=time.process_time() - started,
        note=f"{N_MADE} texts of each. text_gan takes the autoencoder from text_vae's checkpoint: "
        "its seconds are those of generator and critic. Three passes over the texts, on a busy "
        "machine: more make better sentences.",
        methods=figures,
    )


def rounded(facts: dict) -> dict:
    return {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in facts.items()
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
