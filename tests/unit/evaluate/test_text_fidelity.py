"""Figures about texts, each with what held-out real texts reach."""

import numpy as np
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


def sayings(n, seed, n_subjects=6):
    """Reviews about some of six subjects, in the words of their subject, each with a number."""
    random = np.random.Generator(np.random.PCG64(seed))
    return frame(
        *(
            " ".join(f"s{subject}w{word}" for word in random.integers(0, 8, 5)) + f" n{seed}x{n}"
            for n, subject in enumerate(random.integers(0, n_subjects, n))
        )
    )


def test_what_collapsed_is_told_beside_what_did_not():
    train, heldout = sayings(400, 1), sayings(200, 2)
    told = {
        name: measure_text_fidelity("reviews", train, heldout, made).rows_by_key(
            "metric", unique=True, named=True
        )
        for name, made in {
            "good": sayings(150, 3),
            "one subject": sayings(150, 3, n_subjects=1),
            "one text": frame(*["s0w1 s0w2 s0w3 s0w4 s0w5"] * 150),
        }.items()
    }

    def figure(name, starts):
        (row,) = [row for metric, row in told[name].items() if metric.startswith(starts)]
        return row["value"], row["ceiling"]

    near, ceiling = figure("good", "held-out texts with")
    assert near == pytest.approx(ceiling, abs=0.1)
    assert ceiling > 0.8
    assert figure("one subject", "held-out texts with")[0] < 0.4
    assert figure("one text", "texts in the largest group")[0] == 1.0
    assert figure("good", "texts in the largest group")[0] < 0.05
    assert figure("one text", "up to four words")[0] == 1.0
    assert figure("good", "up to four words")[0] < 0.5
    assert figure("one subject", "different pairs")[0] < figure("good", "different pairs")[0]


def test_of_few_texts_no_diversity_is_told():
    few = measure_text_fidelity("reviews", sayings(50, 1), sayings(11, 2), sayings(50, 3))
    many = measure_text_fidelity("reviews", sayings(50, 1), sayings(12, 2), sayings(50, 3))
    blank = frame(*["!"] * 50)
    wordless = measure_text_fidelity("reviews", sayings(50, 1), sayings(50, 2), blank)
    assert (few.height, many.height, wordless.height) == (3, 8, 3)


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
