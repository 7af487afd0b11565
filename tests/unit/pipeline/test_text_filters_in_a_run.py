"""Each filter of queries in a run: what was planted to fall falls with its reason, others stay.

The shop sells kinds of things in colours; a query names a kind, a colour and a place. Which queries
are held out is the split's choice: it runs first, and the made texts are planted by what it chose.
"""

import json
from contextlib import ExitStack

import numpy as np
import polars as pl
import pytest

from fakes.planted_texts import NAME, planted_texts
from shopsynth.pipeline import make_recipe, run
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.stages import filters
from shopsynth.schema import Dataset

pytest.importorskip("bm25s")
pytest.importorskip("lightgbm")
pytest.importorskip("sklearn")

KINDS = ("mug", "sofa", "faucet", "lantern", "rug", "kettle", "ladder", "mirror")
COLOURS = ("red", "blue", "green", "black", "white", "amber")
PLACES = ("kitchen", "hallway", "garden", "office")
ASKED = "please show me the nicest {} that anybody could possibly buy here today"
TWINS = {"mug": "cup", "sofa": "couch"}


def items():
    rows = [(f"{kind}-{colour}", f"{colour} {kind}") for kind in KINDS for colour in COLOURS]
    return pl.DataFrame(rows, schema=["item_id", "title"], orient="row")


def shop():
    """Every kind and colour is asked for in every place; three items are judged for each."""
    queries, judgments = [], []
    for kind in KINDS:
        for colour in COLOURS:
            for place in PLACES:
                name = f"q-{colour}-{kind}-{place}"
                queries.append((name, f"{colour} {kind} for {place}"))
                other = KINDS[(KINDS.index(kind) + 1) % len(KINDS)]
                hue = COLOURS[(COLOURS.index(colour) + 1) % len(COLOURS)]
                judgments += [(name, f"{kind}-{colour}", 2.0), (name, f"{kind}-{hue}", 1.0),
                              (name, f"{other}-{hue}", 0.0)]  # fmt: skip
    return {
        "items": items(),
        "queries": pl.DataFrame(queries, schema=["query_id", "text"], orient="row"),
        "judgments": pl.DataFrame(judgments, schema=["query_id", "item_id", "grade"], orient="row"),
    }


def search_recipe(folder, **combine):
    values = {
        "shop": {name: {"path": f"{name}.parquet"} for name in ("items", "queries", "judgments")},
        "split": {"by": "query", "validation": 0.1, "test": 0.2},
        "privacy": {"mode": "public"},
        "generate": [{"synthesizer": NAME}],
        "combine": {"ratio": 1.0, "weight": 1.0, "contamination_run": 4, **combine},
        "train": {
            "tasks": ["search"],
            "models": ["bm25"],
            "headline": "bm25",
            "options": {"lexical_gbdt": {"min_rows": 5, "max_trees": 150}},
        },
        "evaluate": {"seeds": 1},
        "pipeline": {"executor": "inline"},
    }
    return make_recipe(values, base=folder)


def item_of(text):
    colour, kind = text.split()[:2]
    return f"{kind}-{colour}"


def planted(train, test):
    """Name what should fall by the filter that takes it, and what should stay."""
    twin = next(text for text in test if text.split()[1] in TWINS)
    kind = twin.split()[1]
    texts = {
        "ordinary": (train[5], item_of(train[5]), 3.0),
        "stays": (ASKED.format(train[0]), item_of(train[0]), 3.0),
        "held out": (test[0].upper(), item_of(test[0]), 3.0),
        "round_trip": (f"{train[1]} store", item_of(train[-1]), 3.0),
        "likelihood_band": (f"zqxj {train[2]} wvkz qqqq xxyzzy", item_of(train[2]), 3.0),
        "pii_and_toxicity": (f"{train[3]} b@gmail.com", item_of(train[3]), 3.0),
        "contamination": (ASKED.format(test[1]), item_of(test[1]), 3.0),
        "means test": (twin.replace(kind, TWINS[kind]), item_of(twin), 3.0),
        "means earlier": (ASKED.format(train[0]).upper(), item_of(train[0]), 3.0),
        "cross_encoder_agreement": (f"best {train[4]}", item_of(train[-1]), 3.0),
    }
    queries = [(name, text) for name, (text, _, _) in texts.items()]
    judgments = [(name, item, grade) for name, (_, item, grade) in texts.items()]
    judgments.append(("stays", item_of(train[-1]), 0.0))
    return Dataset(
        items=items(),
        queries=pl.DataFrame(queries, schema=["query_id", "text"], orient="row"),
        judgments=pl.DataFrame(judgments, schema=["query_id", "item_id", "grade"], orient="row"),
    )


class BagOfMeanings:
    """Encodes a text by what its words mean; a cup is a mug."""

    def encode(self, texts, kind):
        means = {own: word for word, own in TWINS.items()}
        words = [*KINDS, *COLOURS, *PLACES]
        rows = [
            [(means.get(word, word) in text.lower().replace(*_twin(text))) for word in words]
            for text in texts
        ]
        return np.array(rows, np.float32) + 0.001


def _twin(text):
    return next(((own, word) for word, own in TWINS.items() if own in text.lower()), ("", ""))


def rows_of(result, stage, name):
    parts = result.manifests[stage].parts(name)
    return pl.concat([pl.read_parquet(result.workspace / ref.key) for ref in parts])


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Run the split, plant texts by it, and give what runs the stage combine with a filter."""
    folder = tmp_path_factory.mktemp("searched")
    for name, frame in shop().items():
        frame.write_parquet(folder / f"{name}.parquet")
    with ExitStack() as stack:
        stack.enter_context(planted_texts(Dataset(items=items()), "judgments"))
        cut = run(search_recipe(folder), folder / "ws", until="split")
    train, test = (
        rows_of(cut, "split", f"{part}/queries")["text"].sort().to_list()
        for part in ("train", "test")
    )
    with planted_texts(planted(train, test), "judgments"):
        yield lambda **combine: run(
            search_recipe(folder, **combine), folder / "ws", until="combine"
        )


def told(result, table="queries", key="query_id"):
    """Give the ids kept, and the reason of each that went."""
    kept = set(rows_of(result, "combine", f"{table}/{NAME}")[key])
    rejects = rows_of(result, "combine", f"rejects/{NAME}").filter(table=table)
    assert not rejects["record"].str.contains("please").any()
    reasons = [
        (json.loads(each)[key], why) for why, each in rejects.select("reason", "record").rows()
    ]
    return kept, dict(reasons)


FALLS = {
    "round_trip": {
        "round_trip": "item_does_not_come_back",
        "cross_encoder_agreement": "item_does_not_come_back",
    },
    "likelihood_band": {"likelihood_band": "unlike_any_search"},
    "pii_and_toxicity": {"pii_and_toxicity": "personal_data"},
    "contamination": {"contamination": "holds_run_of_test"},
    "embedding_near_duplicates": {
        "contamination": "means_what_test_means",
        "means test": "means_what_test_means",
        "means earlier": "means_what_earlier_means",
    },
    "cross_encoder_agreement": {
        "round_trip": "best_grade_is_denied",
        "cross_encoder_agreement": "best_grade_is_denied",
    },
}

KNOWS_ONLY_SHORT_QUERIES = ("likelihood_band", "cross_encoder_agreement")


@pytest.mark.parametrize("name", FALLS)
def test_each_filter_takes_what_was_planted_for_it(searched, monkeypatch, name):
    monkeypatch.setattr(filters, "load_encoder", lambda _: BagOfMeanings())
    kept, reasons = told(
        searched(text_filters=[name], embedding_threshold=0.99, likelihood_outside=0.0)
    )
    assert reasons.pop("held out") == "exact_duplicate_of_test"
    assert "ordinary" in kept
    assert ("stays" in kept) == (name not in KNOWS_ONLY_SHORT_QUERIES)
    assert reasons.items() >= FALLS[name].items()


def test_a_selection_keeps_its_share_of_what_the_others_left(searched):
    kept, reasons = told(
        searched(
            text_filters=["pii_and_toxicity", "coverage_aware_selection"],
            selection_share=0.5,
        )
    )
    assert len(kept) == 4
    assert sorted(reasons.values()) == [
        *["covers_nothing_more"] * 4, "exact_duplicate_of_test", "personal_data",
    ]  # fmt: skip


def test_no_filter_reads_who_answers_a_held_out_query(searched, monkeypatch):
    monkeypatch.setattr(filters, "load_encoder", lambda _: BagOfMeanings())
    read: dict[str, set[str]] = {}
    frame = Job.frame

    def spied(job, name):
        read.setdefault(job.task.function.partition(":")[2], set()).add(name)
        return frame(job, name)

    monkeypatch.setattr(Job, "frame", spied)
    searched(text_filters=[*FALLS, "coverage_aware_selection"][2:], selection_how="k_centre")
    looked = read["drop_copies"] | read["fit_scorer"]
    assert {"test/queries", "validation/queries", "train/judgments"} <= looked
    assert not looked & {"test/judgments", "validation/judgments"}
    assert not {name for name in read["fit_scorer"] if name.startswith(("test", "validation"))}
