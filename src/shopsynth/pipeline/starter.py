"""starter_recipe: from files nobody has described to a commented recipe.

In: paths or database URLs. Out: TOML text that :func:`load_recipe` accepts, and notes.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shopsynth.ingest import ShopSettings, infer_shop
from shopsynth.pipeline.recipe import make_recipe

_REST = """
[split]
by = "{by}"  # {by_why}
validation = 0.1
test = 0.1

[privacy]
# deidentify: pseudonyms, no direct identifiers, at most max_events_per_user rows of one person.
# It gives no differential privacy and the data stay personal. "dp" gives it, to every person, with
# markov; a synthesizer that cannot run in a mode refuses it. "public" is for data about nobody.
mode = "deidentify"
unit = "user"
max_events_per_user = 256

# One block a method; shopsynth combines what they make. Also: substitute, pseudo_session.
[[generate]]
synthesizer = "markov"
size = 1.0  # synthetic users per real user

[combine]
ratio = "auto"  # synthetic events per real event, chosen on validation
weight = "auto"

[train]
tasks = ["next_item"]
models = [{models}]
headline = "sasrec"
# true only where nobody buys the same item twice
exclude_seen = false

[train.options.sasrec]
# Quick, and as good for some thousand items. Remove this block for a large catalogue.
dim = 32
layers = 1
learning_rate = 0.005
dropout = 0.1
patience = 3
max_epochs = 30

[evaluate]
seeds = 3
controls = ["same_compute", "oversample", "noise", "broken_link", "side_information"]
cutoffs = [10, 20]
"""

_SEARCH = """
[split]
by = "query"  # other queries train than judge
validation = 0.1
test = 0.2
# train_labels = 0.1 shows what a tenth of the judgments would be worth with made queries

[privacy]
# deidentify: personal data in the texts of queries are replaced. It gives no differential privacy
# and the data stay personal. "public" is for data about nobody.
mode = "deidentify"

[[generate]]
synthesizer = "title_queries"
size = 2.0  # made queries per real training query

[combine]
ratio = "auto"  # made judgments per real one, chosen on validation
weight = "auto"
text_filters = ["round_trip"]  # a made query must bring its item back

[train]
tasks = ["search"]
models = ["bm25", "bi_encoder", "search_hybrid"]
headline = "search_hybrid"
{encoder}
[evaluate]
seeds = 3
controls = ["same_compute", "oversample", "noise", "broken_link"]
cutoffs = [10, 100]
"""

_REVIEWS = """
[split]
by = "review"  # equal texts are on one side
validation = 0.1
test = 0.2
# train_labels = 0.1 shows what a tenth of the classes would be worth with made reviews

[privacy]
# deidentify: pseudonyms, and personal data in texts are replaced. It gives no differential privacy
# and the data stay personal. "public" is for data about nobody.
mode = "deidentify"

# A small language model that learns from these texts alone; it needs shopsynth[torch] and
# shopsynth[text].
[[generate]]
synthesizer = "text_lm"
size = 1.0  # made reviews per real training review

[combine]
ratio = "auto"  # made reviews per real one, chosen on validation
weight = "auto"
text_filters = ["pii_and_toxicity"]

[train]
# The class is {by_class}.
tasks = ["content"]
models = ["tfidf_linear", "embedding_linear"]
headline = "tfidf_linear"
{encoder}
[evaluate]
seeds = 3
controls = ["same_compute", "oversample", "noise", "broken_link"]
"""

_ENGLISH = """# bi_encoder reads English by the model minilm; "e5-small" reads Chinese too
"""
_ENGLISH_REVIEWS = """# embedding_linear reads English by minilm; "e5-small" reads Chinese too
"""
_CHINESE = """
# e5-small reads Chinese and English: shopsynth models add e5-small
[train.options.bi_encoder]
model = "e5-small"
[train.options.search_hybrid]
model = "e5-small"
# segmentation = "jieba"  # words of a dictionary (pip install jieba), also under bm25; without it
# Chinese is cut into pairs of characters, which found more in our measurements
"""
_CHINESE_REVIEWS = """
[train.options.embedding_linear]
model = "e5-small"  # reads Chinese and English: shopsynth models add e5-small
"""

_NEEDED = (
    "No events found; next_item needs rows with a user, an item and a time (or a position), search "
    "needs queries and judgments of items with titles, content needs reviews with a label or a "
    "rating"
)
_WITHOUT_EVENTS = """
# {needed}.
# So this recipe goes as far as: shopsynth {command} {name}
# For a whole run, give init the file of orders or clicks too, or map it here by hand:
# [shop.events]
# path = "orders.csv"
# [shop.events.columns]
# user_id = "CustomerID"
# item_id = "ProductID"
# timestamp = "OrderDate"
"""
_BY_QUERY = """
[split]
by = "query"  # other queries train than judge
validation = 0.1
test = 0.1
"""


@dataclass(frozen=True)
class Starter:
    """A first recipe.

    Attributes:
        text: Commented TOML.
        notes: What was recognised, what is uncertain, what was left out.
        command: The command that goes as far as the data allow: ``run``; without events,
            judgments and classes of reviews ``split`` (search queries can be cut) or ``clean``.
    """

    text: str
    notes: tuple[str, ...]
    command: str


def starter_recipe(paths: Sequence[str], folder: Path, *, name: str = "recipe.toml") -> Starter:
    """Infer roles and types and write a recipe around them.

    Args:
        paths: Files, folders or database URLs.
        folder: Where the recipe will lie; its paths are relative to there where that is short.
        name: File name of the recipe, for the commands in its comments.

    Raises:
        SourceError: If a path cannot be read or nothing in it looks like a shop's table.
    """
    absolute = [path if _is_url(path) else str(Path(path).absolute()) for path in paths]
    inference = infer_shop(absolute, base=folder)
    shop_toml = inference.to_toml()
    shop = inference.shop
    notes = inference.notes
    if shop.events is not None:
        command, rest = "run", _rest(shop)
    elif shop.queries and shop.judgments and shop.items and "title" in shop.items.columns:
        encoder = _CHINESE if inference.is_chinese else _ENGLISH
        command, rest = "run", _SEARCH.format(encoder=encoder)
    elif by_class := _class_of(shop):
        encoder = _CHINESE_REVIEWS if inference.is_chinese else _ENGLISH_REVIEWS
        by_class = f"the {by_class} of a review"
        command, rest = "run", _REVIEWS.format(by_class=by_class, encoder=encoder)
    else:
        command = "split" if shop.queries else "clean"
        rest = _WITHOUT_EVENTS.format(needed=_NEEDED, command=command, name=name)
        rest += _BY_QUERY if shop.queries else ""
        notes = (*notes, f"{_NEEDED}, so this recipe goes as far as {command}.")
    clean = ""
    if inference.item_id_pattern:
        clean = (
            "\n[clean]\n# Codes of another shape are fees, postage, samples: not products.\n"
            f"item_id_pattern = '{inference.item_id_pattern}'\n"
        )
    text = (
        f"# A shopsynth recipe. Check the columns below, then: shopsynth {command} {name}\n"
        "seed = 7\n\n" + shop_toml.strip() + "\n" + clean + rest
    )
    make_recipe(tomllib.loads(text), base=folder, where="the inferred recipe")
    return Starter(text, notes, command)


def _rest(shop: ShopSettings) -> str:
    """Write the blocks after ``[shop.*]`` for a shop with events."""
    has_time = shop.events is not None and "timestamp" in shop.events.columns
    models = ["popularity", "item_knn", "markov", "content_knn", "hybrid", "sasrec"]
    has_text = shop.items is not None and any(
        column in shop.items.columns for column in ("title", "description", "category", "brand")
    )
    if not has_text:
        models = [model for model in models if model not in ("content_knn", "hybrid")]
    return _REST.format(
        by="time" if has_time else "leave_one_out",
        by_why="the past trains, the future judges"
        if has_time
        else "there is an order but no time: each user's last event judges",
        models=", ".join(f'"{model}"' for model in models),
    )


def _class_of(shop: ShopSettings) -> str | None:
    """Name the column that the task content would tell, as it does: the label, else the rating."""
    mapped = shop.reviews.columns if shop.reviews else {}
    return next((name for name in ("label", "rating") if name in mapped), None)


def _is_url(path: str) -> bool:
    return "://" in path or path.startswith("embedded:")
