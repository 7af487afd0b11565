"""What a language model of 10,000 reviews knows after two minutes on one CPU core.

In: a file of women's clothing reviews. Out: benchmarks/results/text_lm.json. 10,000 reviews are
learned from, 1,000 others are held back. For each of those one text is made, with its rating and
department. The model's surprise is told beside that of an n-gram model on the same pieces and the
same texts; diversity beside that of the real ones; how well a made text keeps to its rating is
judged by a classifier trained on the learned reviews, beside the accuracy it has on the real ones.
Nothing was chosen on the reviews held back.

    OMP_NUM_THREADS=1 POLARS_MAX_THREADS=1 python benchmarks/text_lm.py REVIEWS.csv.gz
"""

import hashlib
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
import torch
from _record import record

from shopsynth.evaluate.text_diversity import compare_diversity
from shopsynth.generate.language.decoding import Taste
from shopsynth.generate.language.fitting import fit_texts
from shopsynth.generate.language.options import TextLmOptions
from shopsynth.schema import SILENT

N_LEARNED, N_HELD_BACK = 10_000, 1_000
ORDER, DISCOUNT = 4, 0.75
EPOCHS = 2
ABOUT = ["rating", "department"]


def reviews_of(file: str) -> pl.DataFrame:
    """Read the texts in an order of their own."""
    columns = {"Review Text": "text", "Rating": "rating", "Department Name": "department"}
    table = pl.read_csv(file).rename(columns).select(columns.values()).drop_nulls("text")
    table = table.unique("text", keep="first", maintain_order=True)
    return table[np.random.Generator(np.random.PCG64(7)).permutation(table.height)]


def n_gram_surprise(learned: list, held_back: list, n_tokens: int) -> float:
    """Nats of all held-back texts under interpolated absolute discounting (Ney et al., 1994)."""

    def grams(texts: list, order: int) -> np.ndarray:
        keys = []
        for text in texts:
            padded = np.concatenate((np.zeros(order - 1, np.int64), text)) + 1
            key = np.zeros(len(text), np.int64)
            for back in range(order):
                key = key * (n_tokens + 2) + padded[back : back + len(text)]
            keys.append(key)
        return np.concatenate(keys)

    chance = np.full(sum(map(len, held_back)), 1 / n_tokens)
    for order in range(1, ORDER + 1):
        known, counts = np.unique(grams(learned, order), return_counts=True)
        before, owner = np.unique(known // (n_tokens + 2), return_inverse=True)
        totals, kinds = np.bincount(owner, counts), np.bincount(owner)
        asked = grams(held_back, order)
        place = np.searchsorted(known, asked).clip(max=known.size - 1)
        seen = np.where(known[place] == asked, counts[place] - DISCOUNT, 0)
        context = asked // (n_tokens + 2)
        row = np.searchsorted(before, context).clip(max=before.size - 1)
        total = np.where(before[row] == context, totals[row], 0)
        mixed = (seen + DISCOUNT * kinds[row] * chance) / np.maximum(total, 1)
        chance = np.where(total > 0, mixed, chance)
    return float(-np.log(chance).sum())


def rating_accuracies(learned: pl.DataFrame, *told: pl.DataFrame) -> list[float]:
    """Train a classifier of ratings on real texts; its accuracy on others."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    words = TfidfVectorizer(min_df=3, sublinear_tf=True)
    judge = LogisticRegression(C=4.0, max_iter=200)
    judge.fit(words.fit_transform(learned["text"].to_list()), learned["rating"].to_numpy())
    return [
        float(
            (
                judge.predict(words.transform(one["text"].to_list())) == one["rating"].to_numpy()
            ).mean()
        )
        for one in told
    ]


def main(file: str) -> None:
    torch.set_num_threads(1)
    started = time.process_time()
    table = reviews_of(file)
    learned, held_back = table[:N_LEARNED], table[N_LEARNED : N_LEARNED + N_HELD_BACK]
    options = TextLmOptions(max_epochs=EPOCHS)
    begun = time.process_time()
    model = fit_texts(learned["text"], learned.select(ABOUT), options, seed=1, progress=SILENT)
    fit_cpu_s = time.process_time() - begun
    nats = model.surprise(held_back["text"], held_back.select(ABOUT))
    end = np.array([model.tokenizer.eos])
    pieces = [
        [
            np.concatenate((one, end))[: options.length]
            for one in model.tokenizer.encode(part["text"])
        ]
        for part in (learned, held_back)
    ]
    n_characters = held_back["text"].str.len_chars().to_numpy()
    read = np.array([len(one) for one in model.tokenizer.encode(held_back["text"])])
    whole = read < options.length  # Both models are asked for the same pieces of the same texts.
    rival = n_gram_surprise(
        pieces[0],
        [one for one, kept in zip(pieces[1], whole, strict=True) if kept],
        model.tokenizer.n_tokens,
    )
    characters = int(n_characters[whole].sum())
    bits = float(nats[whole].sum()) / np.log(2) / characters
    rival_bits = rival / np.log(2) / characters
    wanted = model.controls.wanted(held_back.select(ABOUT), "benchmark")
    begun = time.process_time()
    drawn = model.draw(
        wanted,
        Taste(options.temperature, options.top_p),
        passes=options.passes,
        random=np.random.Generator(np.random.PCG64(1)),
        progress=SILENT,
    )
    draw_cpu_s = time.process_time() - begun
    made = drawn.rows.with_columns(pl.col("rating").cast(pl.Int64))
    on_real, on_made = rating_accuracies(learned, held_back, made)
    diversity = compare_diversity(held_back["text"], made["text"])
    copies_of_real = float(model.real.copies.among(held_back["text"]).mean())
    record(
        "text_lm",
        passed=bool(bits < rival_bits),
        reach="fewer bits a character on held-back reviews than an n-gram model of order 4",
        value=round(bits, 3),
        low=round(bits, 3),
        high=round(bits, 3),
        unit="bits a character on held-back reviews; no interval, one fit",
        data=f"{N_LEARNED:,} women's clothing reviews learned, {N_HELD_BACK:,} held back; sha256 "
        + hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16],
        seeds=1,
        cpu_s=time.process_time() - started,
        peer=("absolute discounting of order 4 on the same pieces", round(rival_bits, 3)),
        note="The defaults of text_lm, but two passes. The n-grams are not told the ratings.",
        fit_cpu_s=round(fit_cpu_s, 1),
        steps=model.n_steps,
        perplexity_a_character=round(2**bits, 3),
        rival_perplexity_a_character=round(2**rival_bits, 3),
        n_held_back_read_whole=int(whole.sum()),
        texts_per_cpu_s=round(made.height / draw_cpu_s, 1),
        drawn={
            "made": made.height,
            "copies_thrown_away": drawn.n_copies,
            "blank": drawn.n_blank,
            "left_out": drawn.n_left_out,
            "share_of_real_held_back_reviews_that_count_as_copies": round(copies_of_real, 4),
        },
        rating_told_by_a_classifier_of_real_texts={
            "on_real": round(on_real, 3),
            "on_made": round(on_made, 3),
        },
        diversity={
            side: {name: round(value, 3) for name, value in asdict(figures).items() if value}
            for side, figures in zip(("made", "real"), diversity, strict=True)
        },
        examples=made.head(5).rows(),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
