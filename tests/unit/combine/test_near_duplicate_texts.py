"""Synthetic texts that repeat a held-out text are dropped with their reason; others stay."""

import json

import numpy as np
import polars as pl
import pytest

from shopsynth.combine import drop_near_duplicate_texts
from shopsynth.schema import REJECT_COLUMNS, InputError

EXACT, NEAR = "exact_duplicate_of_test", "near_duplicate_of_test"
HELDOUT = pl.Series(["red wool scarf for women", "茶杯 陶瓷 手工", "hdmi cable 2m", None, "!!!"])


def _reasons(texts: list[str | None], threshold: float = 0.7) -> list[str | None]:
    made = pl.DataFrame(
        {"query_id": [f"q{row}" for row in range(len(texts))], "text": texts},
        schema_overrides={"text": pl.String},
    )
    kept, rejects = drop_near_duplicate_texts(made, HELDOUT, threshold)
    assert dict(rejects.schema) == dict(REJECT_COLUMNS)
    assert kept.height + rejects.height == made.height
    told = {
        json.loads(record)["query_id"]: reason
        for reason, record in rejects.select("reason", "record").iter_rows()
    }
    assert set(told).isdisjoint(kept["query_id"])
    return [told.get(name) for name in made["query_id"]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("RED wool  scarf, for women", EXACT),
        ("ｈｄｍｉ cable 2m", EXACT),
        ("red wool scarf for woman", NEAR),
        ("cable hdmi 2m", NEAR),
        ("手工 茶杯 陶瓷", NEAR),
        ("wool sweater for men", None),
        ("hdmi switch", None),
        ("", None),
        (None, None),
        ("🎉", None),
        ("a", None),
    ],
)
def test_each_kind_of_copy_is_told_and_nothing_else(text: str | None, reason: str | None) -> None:
    assert _reasons([text, "garden hose"]) == [reason, None]


def test_repeated_copies_all_go_and_the_others_keep_their_order() -> None:
    texts: list[str | None] = ["tea pot", "hdmi cable 2m", "ant", "HDMI cable 2m", "tea pot"]
    assert _reasons(texts) == [None, EXACT, None, EXACT, None]


def test_a_lower_threshold_drops_more() -> None:
    assert _reasons(["red wool scarf for cats"]) == [None]
    assert _reasons(["red wool scarf for cats"], 0.4) == [NEAR]


def test_no_near_copy_is_missed_among_many() -> None:
    random = np.random.Generator(np.random.PCG64(3))
    words = np.array([f"{one}{other}" for one in ("ka", "lo", "mi") for other in "abcdefgh"])
    heldout = [" ".join(random.choice(words, 6)) for _ in range(300)]
    copies = [text + " x" for text in heldout]
    made = pl.DataFrame({"text": copies})
    kept, rejects = drop_near_duplicate_texts(made, pl.Series(heldout), 0.8)
    assert kept.is_empty()
    assert rejects["reason"].unique().to_list() == [NEAR]


def test_empty_sides_drop_nothing() -> None:
    made = pl.DataFrame({"text": ["tea"]})
    kept, rejects = drop_near_duplicate_texts(made, pl.Series([], dtype=pl.String))
    assert (kept.height, rejects.height) == (1, 0)
    kept, rejects = drop_near_duplicate_texts(made.clear(), HELDOUT)
    assert (kept.height, rejects.height) == (0, 0)


def test_a_missing_column_and_a_wrong_threshold_are_refused() -> None:
    made = pl.DataFrame({"title": ["tea"]})
    with pytest.raises(InputError, match="expected a column 'text'"):
        drop_near_duplicate_texts(made, HELDOUT)
    with pytest.raises(InputError, match="threshold above 0"):
        drop_near_duplicate_texts(made, HELDOUT, 0.0, column="title")
