"""Metrics equal a slow and obvious implementation on any ranking, ties and slices included."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopsynth.evaluate import score_units
from shopsynth.schema import RANKING_COLUMNS, TRUTH_COLUMNS, Ranking

ITEMS = [f"i{n}" for n in range(8)]
scores = st.lists(st.integers(0, 4), min_size=len(ITEMS), max_size=len(ITEMS))
grades = st.dictionaries(st.sampled_from(ITEMS), st.integers(1, 3), min_size=1)
units = st.lists(st.tuples(scores, grades, st.integers(1, len(ITEMS))), min_size=1, max_size=4)


def mean_rank(item_scores: list[int], item: int) -> float:
    better = sum(score > item_scores[item] for score in item_scores)
    equal = sum(score == item_scores[item] for score in item_scores)
    return better + (equal + 1) / 2


def obvious(ranks: dict[str, float], answers: dict[str, int], cutoff: int) -> dict[str, float]:
    found = {item: ranks[item] for item in answers if ranks.get(item, math.inf) <= cutoff}
    ideal = sum(
        grade / math.log2(place + 1)
        for place, grade in enumerate(sorted(answers.values(), reverse=True), 1)
        if place <= cutoff
    )
    among_answers = list(found.values())
    precisions = [
        (sum(other < rank for other in among_answers) + (among_answers.count(rank) + 1) / 2) / rank
        for rank in among_answers
    ]
    gain = sum(answers[item] / math.log2(rank + 1) for item, rank in found.items())
    return {
        "ndcg": min(1.0, gain / ideal),
        "recall": len(found) / len(answers),
        "mrr": max((1 / rank for rank in found.values()), default=0.0),
        "hit_rate": float(bool(found)),
        "map": sum(precisions) / len(answers),
        "precision": min(1.0, len(found) / cutoff),
    }


@settings(max_examples=60, deadline=None)
@given(shop=units, cutoff=st.integers(1, 6))
def test_metrics_equal_the_obvious_implementation(shop, cutoff):
    ranking_rows, truth_rows, member_rows, expected = [], [], [], {}
    for number, (item_scores, answers, length) in enumerate(shop):
        unit = f"u{number}"
        order = np.argsort(-np.array(item_scores), kind="stable")[:length].tolist()
        ranks = {ITEMS[i]: mean_rank(item_scores, i) for i in order}
        ranking_rows += [(unit, ITEMS[i], item_scores[i], ranks[ITEMS[i]]) for i in order]
        truth_rows += [(unit, item, float(grade)) for item, grade in answers.items()]
        even = {item: grade for item, grade in answers.items() if int(item[1:]) % 2 == 0}
        for slice_, members in (("all", answers), ("even", even)):
            member_rows += [(unit, item, slice_) for item in members]
            if members:
                for metric, value in obvious(ranks, members, cutoff).items():
                    expected[unit, metric, slice_] = value
    scored = score_units(
        Ranking(pl.DataFrame(ranking_rows, schema=RANKING_COLUMNS, orient="row")),
        pl.DataFrame(truth_rows, schema=TRUTH_COLUMNS, orient="row"),
        pl.DataFrame(member_rows, schema=["unit_id", "item_id", "slice"], orient="row"),
        ["ndcg", "recall", "mrr", "hit_rate", "map", "precision"],
        [cutoff],
    )
    got = {
        (unit, metric, slice_): value
        for unit, metric, slice_, value in scored.select(
            "unit_id", "metric", "slice", "value"
        ).iter_rows()
    }
    assert got == pytest.approx(expected)
    assert scored["value"].is_between(0, 1).all()
