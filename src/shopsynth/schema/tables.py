"""The standard tables of a shop and their columns.

In: a Polars frame that claims to be a table. Out: the same frame, checked, standard columns first.
"""

from dataclasses import dataclass, field

import polars as pl

TIMESTAMP = pl.Datetime("us", "UTC")

_ID = pl.String()
_TEXT = pl.String()
_NUMBER = pl.Float64()
_COUNT = pl.Int64()


@dataclass(frozen=True)
class TableSpec:
    """One standard table: its columns, in order, and which of them must be filled.

    Attributes:
        name: The table's name in recipes, folders and ``summary.json``.
        columns: Column name to Polars type.
        required: Columns that must exist and, once clean, hold no null.
        one_of: At least one of these columns must exist; likewise (empty: no such rule).
        key: Columns that identify a row once the table is clean.
    """

    name: str
    columns: dict[str, pl.DataType]
    required: tuple[str, ...]
    one_of: tuple[str, ...] = ()
    key: tuple[str, ...] = field(default=())


_SPECS = (
    TableSpec(
        "items",
        {
            "item_id": _ID,
            "title": _TEXT,
            "description": _TEXT,
            "brand": _TEXT,
            "category": _TEXT,
            "price": _NUMBER,
            "currency": _TEXT,
            "available_at": TIMESTAMP,
            "image": _TEXT,
        },
        required=("item_id",),
        key=("item_id",),
    ),
    TableSpec("users", {"user_id": _ID}, required=("user_id",), key=("user_id",)),
    TableSpec(
        "events",
        {
            "user_id": _ID,
            "item_id": _ID,
            "timestamp": TIMESTAMP,
            "session_id": _ID,
            "event_type": _TEXT,
            "quantity": _NUMBER,
            "price": _NUMBER,
            "query_id": _ID,
            "position": _COUNT,
        },
        required=("user_id", "item_id"),
        one_of=("timestamp", "position"),
    ),
    TableSpec(
        "queries",
        {"query_id": _ID, "text": _TEXT, "locale": _TEXT},
        required=("query_id", "text"),
        key=("query_id",),
    ),
    TableSpec(
        "judgments",
        {"query_id": _ID, "item_id": _ID, "grade": _NUMBER},
        required=("query_id", "item_id", "grade"),
        key=("query_id", "item_id"),
    ),
    TableSpec(
        "reviews",
        {
            "review_id": _ID,
            "item_id": _ID,
            "text": _TEXT,
            "user_id": _ID,
            "title": _TEXT,
            "rating": _NUMBER,
            "timestamp": TIMESTAMP,
            "locale": _TEXT,
            "label": _TEXT,
        },
        required=("review_id", "item_id", "text"),
        key=("review_id",),
    ),
    TableSpec(
        "relations",
        {"head": _ID, "relation": _TEXT, "tail": _ID},
        required=("head", "relation", "tail"),
        key=("head", "relation", "tail"),
    ),
    TableSpec("images", {"item_id": _ID, "image": _TEXT}, required=("item_id", "image")),
)

TABLES: dict[str, TableSpec] = {spec.name: spec for spec in _SPECS}
"""Every standard table by name, in the order of DESIGN."""


def table_faults(name: str, frame: pl.DataFrame) -> list[str]:
    """List everything that keeps a frame from being the standard table ``name``.

    Args:
        name: One of :data:`TABLES`.
        frame: The claimed table; columns the specification does not know are attributes and pass.

    Returns:
        One sentence a fault, with columns and counts, never cell values. Empty: the frame is fine.
    """
    spec = TABLES[name]
    faults = []
    present = ", ".join(frame.columns) or "none"
    missing = [column for column in spec.required if column not in frame.columns]
    if missing:
        faults.append(f"required column(s) {', '.join(missing)} missing; present: {present}")
    if spec.one_of and not any(column in frame.columns for column in spec.one_of):
        faults.append(f"one of {', '.join(spec.one_of)} is required; present: {present}")
    for column, expected in spec.columns.items():
        if column in frame.columns and frame.schema[column] != expected:
            faults.append(f"column {column}: expected {expected}, got {frame.schema[column]}")
    return faults


def filled_columns(name: str, frame: pl.DataFrame) -> list[str]:
    """Name the present columns of table ``name`` in which a clean row must have a value."""
    spec = TABLES[name]
    return [c for c in (*spec.required, *spec.one_of) if c in frame.columns]


def empty_cell_faults(name: str, frame: pl.DataFrame) -> list[str]:
    """List the required columns of a table that still hold empty cells, with counts."""
    return [
        f"column {column}: {n_null} of {frame.height} cells are empty"
        for column in filled_columns(name, frame)
        if (n_null := frame[column].null_count())
    ]


def in_standard_order(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Put the standard columns first, in the specification's order, attributes after them."""
    standard = [column for column in TABLES[name].columns if column in frame.columns]
    attributes = [column for column in frame.columns if column not in TABLES[name].columns]
    return frame.select(standard + attributes)


def empty_table(name: str) -> pl.DataFrame:
    """Make a table with all required columns and no rows."""
    spec = TABLES[name]
    wanted = [*spec.required, *spec.one_of[:1]]
    return pl.DataFrame(schema={column: spec.columns[column] for column in wanted})
