"""Further tables: their columns, their keys, and the rows they name."""

import polars as pl
import pytest

from shopsynth.schema import FURTHER, MAIN_FURTHER, Dataset, SchemaError, SyntheticDataset

ITEMS = pl.DataFrame({"item_id": ["a", "b"]})


def dialogues(**columns):
    return {
        "dialogues": pl.DataFrame(
            {"dialogue_id": ["d1", "d2"], "item_id": ["a", "b"], "intent": ["buy", "buy"]} | columns
        )
    }


def turns(ids=("d1", "d2"), numbers=(0, 0)):
    return {
        "dialogue_turns": pl.DataFrame(
            {
                "dialogue_id": list(ids),
                "turn": list(numbers),
                "speaker": ["agent"] * len(ids),
                "text": ["Hello"] * len(ids),
            }
        )
    }


def made(tables):
    return SyntheticDataset(
        Dataset(items=ITEMS), synthesizer="m", config_sha256="", seed=1, source_sha256="",
        further=tables,
    )  # fmt: skip


def test_main_tables_name_items_and_parts_name_these():
    assert MAIN_FURTHER == ("item_texts", "adverts", "dialogues")
    for name, spec in FURTHER.items():
        (named,) = spec.references.values()
        assert (named == "items") == (name in MAIN_FURTHER)
        assert {*spec.key, *spec.references} <= set(spec.columns)


def test_what_is_whole_passes_and_is_found_by_name():
    sample = made({**dialogues(), **turns()})
    assert sample.need("dialogue_turns").height == 2
    assert sample.need("items").equals(ITEMS)
    with pytest.raises(SchemaError, match="needs the table adverts"):
        sample.need("adverts")


@pytest.mark.parametrize(
    ("tables", "fault"),
    [
        ({"orders": ITEMS}, "table orders: unknown; expected one of item_texts"),
        ({"dialogues": ITEMS}, "expected the columns dialogue_id String.*got item_id String"),
        (dialogues(item_id=["a", None]), "column item_id: 1 of 2 cells are empty"),
        (dialogues(dialogue_id=["d1", "d1"]), "dialogue_id: 1 of 2 rows repeat a key"),
        (dialogues(item_id=["a", "z"]), "column item_id: 1 of 2 rows name no row of items"),
        (turns(), "column dialogue_id: expected the table dialogues beside it, got none"),
        ({**dialogues(), **turns(("d1", "d9"))}, "dialogue_turns: .*1 of 2 rows name no row"),
    ],
)
def test_what_is_not_whole_is_refused(tables, fault):
    with pytest.raises(SchemaError, match=fault) as told:
        made(tables)
    assert "d9" not in str(told.value)
