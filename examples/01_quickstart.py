"""See a real shop and synthetic rows of it, in seconds and without a workspace.

In: the shop that ships in the package. Out: five synthetic rows of every method, on the screen.

    .venv/bin/python examples/01_quickstart.py
"""

import os
from pathlib import Path

import polars as pl

import shopsynth
from shopsynth.pipeline import preview

RECIPE = Path(__file__).with_name("online_retail.toml")

# Pseudonyms of published data protect nobody, so this key may be public. Yours may not.
os.environ.setdefault("SHOPSYNTH_PSEUDONYM_KEY", "public-demo-data")


def main() -> None:
    # Every value of a recipe can be overridden, here or on the command line with --set.
    recipe = shopsynth.load_recipe(RECIPE, overrides=("pipeline.workers=1",))
    print(f"{recipe.title}: {', '.join(entry.synthesizer for entry in recipe.generate)}")
    for method, rows in preview(recipe, rows=5).items():
        print(f"\n{method}: {rows['user_id'].n_unique()} synthetic user(s)")
        with pl.Config(tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
            print(rows.select("user_id", "item_id", "title", "timestamp"))
    print("\nNext, the whole journey: shopsynth run examples/online_retail.toml")


if __name__ == "__main__":  # Worker processes import this file; they must not run it.
    main()
