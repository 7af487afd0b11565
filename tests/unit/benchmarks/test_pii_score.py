"""The scores of the PII finder: what counts as found, as a false hit and as right."""

from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
TEXT = {
    "id": "zh-0001",
    "text": "客服王小明 13912345678 李宁 A-7",
    "entities": [
        {"kind": "NAME", "start": 2, "end": 5},
        {"kind": "PHONE", "start": 6, "end": 17},
    ],
    "hard_negatives": [
        {"what": "brand", "start": 18, "end": 20},
        {"what": "model", "start": 21, "end": 24},
    ],
}


class Found(NamedTuple):
    kind: str
    start: int
    end: int


@pytest.fixture
def scorer(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module("_pii")


@pytest.fixture
def scores(scorer):
    def of(*findings: Found) -> dict[str, Any]:
        result: dict[str, Any] = scorer.score([TEXT], [findings])
        return result

    return of


def test_a_finder_that_finds_the_labels_and_nothing_else_is_perfect(scores):
    result = scores(Found("NAME", 2, 5), Found("PHONE", 6, 17))
    assert result["structured"]["value"] == result["names"]["value"] == 1
    assert result["precision"]["value"] == 1
    assert result["false_hits"] == {"value": 0, "low": 0, "high": 0.6576, "n": 2}
    assert result["missed"] == result["hit_by_mistake"] == result["beside_labels"] == []


def test_nine_tenths_of_an_entity_must_be_covered_by_its_own_kind(scores):
    assert scores(Found("PHONE", 6, 16))["structured"]["value"] == 1
    assert scores(Found("PHONE", 6, 15))["missed"] == ["zh-0001 NAME", "zh-0001 PHONE"]
    wrong_kind = scores(Found("QQ", 6, 17))
    assert wrong_kind["structured"]["value"] == 0
    assert wrong_kind["structured_any_kind"]["value"] == 1


def test_pieces_of_one_kind_cover_together(scores):
    assert scores(Found("PHONE", 6, 10), Found("PHONE", 10, 17))["structured"]["value"] == 1


def test_a_brand_is_hit_by_any_finding_that_touches_it(scores):
    result = scores(Found("NAME", 18, 19), Found("ORDER", 21, 24))
    assert result["false_hits"]["value"] == 1
    assert result["hit_by_mistake"] == ["zh-0001 brand", "zh-0001 model"]
    assert result["precision"]["value"] == 0
    assert result["beside_labels"] == ["zh-0001 NAME", "zh-0001 ORDER"]


def test_a_finding_is_right_when_most_of_it_is_labelled_or_it_is_a_name_with_its_title(scores):
    assert scores(Found("PHONE", 5, 20))["precision"]["value"] == 1
    assert scores(Found("PHONE", 14, 24))["precision"]["value"] == 0
    assert scores(Found("NAME", 0, 3))["precision"]["value"] == 1


def test_nothing_to_count_has_no_share(scorer):
    empty = scorer.share([])
    assert empty["value"] != empty["value"]
    assert (empty["low"], empty["high"]) == (0, 1)
