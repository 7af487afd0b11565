"""Figures about texts, each with what held-out real texts reach."""

import polars as pl
import pytest

from shopsynth.evaluate import Sides, audit_texts, measure_text_fidelity


def frame(*texts):
    return pl.DataFrame({"text": list(texts)}, schema={"text": pl.String})


def test_longer_texts_of_unknown_words_that_repeat_are_told():
    train = frame("red mug", "blue mug", "green mug", "white mug")
    heldout = frame("red mug", "blue cup")
    made = frame("a very long silly text", "a very long silly text")
    found = measure_text_fidelity("queries", train, heldout, made)
    assert found["table"].unique().to_list() == ["queries"]
    assert found["value"].to_list() == [1.0, 0.0, 0.5]
    assert found["ceiling"].to_list() == [0.0, 0.75, 1.0]


@pytest.mark.parametrize("empty", [0, 1, 2])
def test_a_side_without_texts_gives_no_figure(empty):
    sides = [frame("a"), frame("b"), frame("c")]
    sides[empty] = frame()
    assert measure_text_fidelity("reviews", *sides).is_empty()


def test_copied_reviews_fail_where_held_out_ones_do_not_come_back():
    def story(number):
        return " ".join(f"w{number}x{place}" for place in range(20))

    train = frame(*(story(n) for n in range(60)))
    heldout = frame(*(story(n) for n in range(100, 160)))
    copied = audit_texts(Sides(train, heldout, train.head(40)), "deidentify")
    clean = audit_texts(
        Sides(train, heldout, frame(*(story(n) for n in range(300, 340)))), "public"
    )
    assert copied["name"].to_list() == clean["name"].to_list() == ["copies_of_text_ngrams"]
    assert not copied["passed"].item()
    assert clean["passed"].item()


def test_without_texts_only_findings_are_told():
    findings = pl.DataFrame(
        {"table": ["queries"], "column": ["text"], "kind": ["EMAIL"], "rows": [2]}
    )
    told = audit_texts(None, "deidentify", pii_findings=findings)
    assert dict(told.select("name", "passed").iter_rows()) == {
        "pii_input_identifiers": True,
        "pii_valid_identifiers": False,
    }
