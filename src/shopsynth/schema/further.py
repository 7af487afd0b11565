"""Further tables: what is written about the items of a shop, and names its rows.

In: frames that claim to be such tables, the catalogue. Out: the same frames, columns in order,
every foreign key checked.

No model of a run learns from these tables, so they are none of :class:`Dataset`: they are made,
looked at and released. A main table names items; its parts name it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from shopsynth.schema.errors import SchemaError, collect

_TEXT, _COUNT = pl.String(), pl.Int64()


@dataclass(frozen=True)
class FurtherTable:
    """One table beside those of a shop. Every cell is filled.

    Attributes:
        columns: Column name to Polars type, in order.
        key: Columns that identify a row.
        references: Column to the table whose key of the same name it must be.
    """

    columns: Mapping[str, pl.DataType]
    key: tuple[str, ...]
    references: Mapping[str, str]


FURTHER: dict[str, FurtherTable] = {
    "item_texts": FurtherTable(
        {"text_id": _TEXT, "item_id": _TEXT, "title": _TEXT, "description": _TEXT},
        key=("text_id",),
        references={"item_id": "items"},
    ),
    "selling_points": FurtherTable(
        {"text_id": _TEXT, "place": _COUNT, "text": _TEXT},
        key=("text_id", "place"),
        references={"text_id": "item_texts"},
    ),
    "adverts": FurtherTable(
        {
            "advert_id": _TEXT,
            "item_id": _TEXT,
            "audience": _TEXT,
            "headline": _TEXT,
            "text": _TEXT,
        },
        key=("advert_id",),
        references={"item_id": "items"},
    ),
    "dialogues": FurtherTable(
        {"dialogue_id": _TEXT, "item_id": _TEXT, "intent": _TEXT},
        key=("dialogue_id",),
        references={"item_id": "items"},
    ),
    "dialogue_turns": FurtherTable(
        {"dialogue_id": _TEXT, "turn": _COUNT, "speaker": _TEXT, "text": _TEXT},
        key=("dialogue_id", "turn"),
        references={"dialogue_id": "dialogues"},
    ),
    "dialogue_slots": FurtherTable(
        {
            "dialogue_id": _TEXT,
            "name": _TEXT,
            "value": _TEXT,
            "turn": _COUNT,
            "start": _COUNT,
        },
        key=("dialogue_id", "name"),
        references={"dialogue_id": "dialogues"},
    ),
}
"""Every further table by name, a main table before its parts."""

MAIN_FURTHER = tuple(name for name, spec in FURTHER.items() if "items" in spec.references.values())
"""The further tables that are no part of another one: whose rows are counted as what was made."""


def check_further(tables: Mapping[str, pl.DataFrame], items: pl.DataFrame, where: str) -> None:
    """Refuse frames that are not the further tables they claim to be.

    Args:
        tables: By name.
        items: The catalogue.
        where: Who made them, for the message.

    Raises:
        SchemaError: With every unknown table, wrong column, empty cell, key that is there twice,
            and foreign key that names no row.
    """
    faults = [
        f"table {name}: {fault}"
        for name, frame in tables.items()
        for fault in _faults(name, frame, {"items": items, **tables})
    ]
    collect(where, faults, SchemaError)


def _faults(name: str, frame: pl.DataFrame, all_tables: Mapping[str, pl.DataFrame]) -> list[str]:
    spec = FURTHER.get(name)
    if spec is None:
        return [f"unknown; expected one of {', '.join(FURTHER)}"]
    if dict(frame.schema) != dict(spec.columns) or frame.columns != list(spec.columns):
        wanted = ", ".join(f"{column} {kind}" for column, kind in spec.columns.items())
        got = ", ".join(f"{column} {kind}" for column, kind in frame.schema.items())
        return [f"expected the columns {wanted}, got {got or 'none'}"]
    faults = [
        f"column {column}: {n_null} of {frame.height} cells are empty"
        for column in frame.columns
        if (n_null := frame[column].null_count())
    ]
    if n_twice := frame.height - frame.select(spec.key).n_unique():
        faults.append(f"{', '.join(spec.key)}: {n_twice} of {frame.height} rows repeat a key")
    for column, named in spec.references.items():
        if named not in all_tables:
            faults.append(f"column {column}: expected the table {named} beside it, got none")
        elif n_lost := frame.join(all_tables[named], on=column, how="anti").height:
            told = f"{n_lost} of {frame.height} rows name no row of {named}"
            faults.append(f"column {column}: {told}")
    return faults
