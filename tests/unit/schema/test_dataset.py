"""The types at the walls: wrong tables are refused with every fault, rows keep their order."""

from datetime import UTC, datetime

import polars as pl
import pytest

from shopsynth.schema import (
    EVALUATION_COLUMNS,
    REAL,
    SLICE_COLUMNS,
    TABLES,
    TIMESTAMP,
    TRUTH_COLUMNS,
    Dataset,
    Evaluation,
    Holdout,
    LedgerEntry,
    PrivacyLedger,
    Ranking,
    SchemaError,
    Split,
    SyntheticDataset,
    TrainingSet,
    empty_evaluation_table,
    empty_table,
    make_rejects,
    no_rejects,
)

ITEMS = pl.DataFrame({"item_id": ["a", "b"]})


def _events(users, items, positions):
    return pl.DataFrame({"user_id": users, "item_id": items, "position": positions})


def test_all_faults_of_all_tables_come_at_once():
    with pytest.raises(SchemaError) as caught:
        Dataset(
            items=pl.DataFrame({"sku": [1]}),
            events=pl.DataFrame({"user_id": [1], "item_id": ["a"]}),
        )
    message = str(caught.value)
    assert "3 faults" in message
    assert "table items: required column(s) item_id missing; present: sku" in message
    assert "one of timestamp, position is required" in message
    assert "column user_id: expected String, got Int64" in message


def test_standard_columns_come_first_and_attributes_travel():
    shop = Dataset(items=pl.DataFrame({"colour": ["red"], "title": ["mug"], "item_id": ["a"]}))
    assert shop.items.columns == ["item_id", "title", "colour"]


def test_events_are_ordered_by_user_and_time_and_ties_keep_their_row_order():
    events = _events(["u", "t", "u", "u"], ["a", "b", "b", "a"], [2, 1, 1, 1])
    ordered = Dataset(ITEMS, events=events).ordered_events()
    assert ordered["user_id"].to_list() == ["t", "u", "u", "u"]
    assert ordered["item_id"].to_list() == ["b", "b", "a", "a"]


def test_empty_required_cells_pass_at_first_and_fail_where_a_type_demands_them():
    shop = Dataset(ITEMS, events=_events(["u", None], ["a", "b"], [1, 2]))
    with pytest.raises(SchemaError, match="column user_id: 1 of 2 cells are empty"):
        shop.check_filled("here")
    slices = pl.DataFrame(schema=SLICE_COLUMNS)
    with pytest.raises(SchemaError, match=r"Split\.train"):
        Split(shop, shop, shop, slices, "time")
    with pytest.raises(SchemaError, match="SyntheticDataset of markov"):
        SyntheticDataset(shop, "markov", "", 0, "")


def test_a_missing_table_says_where_to_map_it():
    with pytest.raises(SchemaError, match=r"\[shop\.queries\]"):
        Dataset(ITEMS).need("queries")


def test_tables_can_be_replaced_and_removed():
    shop = Dataset(ITEMS, events=_events(["u"], ["a"], [1]))
    assert shop.with_tables(events=None).counts() == {"items": 2}
    assert shop.counts() == {"items": 2, "events": 1}


def test_every_table_can_be_empty():
    for name in TABLES:
        assert empty_table(name).height == 0
    shop = Dataset(**{name: empty_table(name) for name in TABLES})
    assert set(shop.counts().values()) == {0}


def test_slices_and_truth_have_fixed_columns():
    good = Dataset(ITEMS)
    with pytest.raises(SchemaError, match=r"Split\.slices"):
        Split(good, good, good, pl.DataFrame({"id": ["a"]}), "time")
    with pytest.raises(SchemaError, match=r"Holdout\.truth"):
        Holdout(good, pl.DataFrame({"unit_id": ["u"]}))
    assert Holdout(good, pl.DataFrame(schema=TRUTH_COLUMNS)).exclude_seen is False


def test_units_are_drawn_down_and_the_catalogue_is_not():
    users = [f"u{n % 50}" for n in range(100)]
    events = _events(users, ["a", "b"] * 50, range(100))
    truth = pl.DataFrame({"unit_id": users[:50], "item_id": "a", "grade": 1.0})
    whole = Holdout(Dataset(ITEMS, events=events), truth)
    assert whole.drawn_down(50) is whole
    some = whole.drawn_down(20)
    kept = set(some.truth["unit_id"])
    assert len(kept) == some.truth.height == 20
    assert set(some.requests.need("events")["user_id"]) == kept
    assert some.requests.need("events").height == 40
    assert some.requests.items.equals(ITEMS)
    assert set(whole.drawn_down(10).truth["unit_id"]) < kept


def test_a_training_set_needs_origin_and_weight():
    events = _events(["u"], ["a"], [1])
    with pytest.raises(SchemaError, match="expected column origin of type String, got none"):
        TrainingSet(Dataset(ITEMS, events=events), "real")
    rows = events.with_columns(pl.lit(REAL).alias("origin"), pl.lit(1.0).alias("weight"))
    assert TrainingSet(Dataset(ITEMS, events=rows), "real").rows.height == 1


def test_ranking_and_evaluation_have_fixed_columns():
    with pytest.raises(SchemaError, match="Ranking"):
        Ranking(pl.DataFrame({"unit_id": ["u"]}))
    tables = {name: empty_evaluation_table(name) for name in EVALUATION_COLUMNS}
    assert set(Evaluation(**tables).tables()) == set(EVALUATION_COLUMNS)
    with pytest.raises(SchemaError, match="table dose"):
        Evaluation(**{**tables, "dose": pl.DataFrame({"x": [1]})})


def test_rejects_keep_the_whole_row_as_json():
    rows = pl.DataFrame(
        {"user_id": [None], "timestamp": [datetime(2026, 1, 1, tzinfo=UTC)]},
        schema={"user_id": pl.String, "timestamp": TIMESTAMP},
    )
    rejects = make_rejects("events", "missing_user_id", rows)
    assert rejects["reason"].to_list() == ["missing_user_id"]
    assert '"user_id":null' in rejects["record"][0]
    assert make_rejects("events", "x", rows.clear()).equals(no_rejects())


def test_a_ledger_round_trips_and_grows_without_changing():
    empty = PrivacyLedger("deidentify", "user")
    grown = empty.with_entry(LedgerEntry("pseudonymise", "00", None, None, {"n": 1}))
    assert empty.entries == ()
    assert PrivacyLedger.from_json(grown.to_json()) == grown
