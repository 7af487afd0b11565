"""From two files nobody has described to a verdict.

In: CSV files of an invented shop. Out: an inferred recipe, a workspace, the verdict.

    .venv/bin/python examples/02_own_files.py
"""

import os
import random
import tempfile
from pathlib import Path

import shopsynth
from shopsynth.pipeline import starter_recipe, told_result

os.environ.setdefault("SHOPSYNTH_PSEUDONYM_KEY", "invented-people-only")

# Small on purpose: one quick model and two seeds. Leave these out for a result you can rely on.
QUICK = (
    'train.models = ["popularity", "item_knn"]',
    'train.headline = "item_knn"',
    "evaluate.seeds = 2",
    "evaluate.resamples = 500",
    "combine.doses = [0.5]",
    "combine.weights = [1.0]",
    "pipeline.workers = 1",
)


def write_shop(folder: Path) -> None:
    """Invent 80 customers who walk through 24 products, mostly from one to the next."""
    rng = random.Random(7)
    (folder / "products.csv").write_text(
        "sku,product name,price\n" + "".join(f"P{n:02},mug {n},{2 + n / 2}\n" for n in range(24))
    )
    lines = ["customer id,sku,order date,qty"]
    for customer in range(80):
        product, day = rng.randrange(24), rng.randrange(20)
        for _ in range(rng.randrange(4, 12)):
            date = f"2026-{1 + day // 28:02}-{1 + day % 28:02}"
            lines.append(f"C{customer:03},P{product:02},{date},1")
            product = (product + 1 if rng.random() < 0.8 else rng.randrange(24)) % 24
            day += rng.randrange(1, 9)
    (folder / "orders.csv").write_text("\n".join(lines) + "\n")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_shop(folder)
        starter = starter_recipe([str(folder)], folder)  # what `shopsynth init` does
        (folder / "recipe.toml").write_text(starter.text)
        print("\n".join(f"- {note}" for note in starter.notes))
        result = shopsynth.run(folder / "recipe.toml", folder / "workspace", overrides=QUICK)
        told = told_result(result)
        print(f"\nVerdict: {told.verdict}\n{told.sentence}")


if __name__ == "__main__":  # Worker processes import this file; they must not run it.
    main()
