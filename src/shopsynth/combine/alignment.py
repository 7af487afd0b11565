"""Alignment: rows of any origin in the columns of the real table.

In: real rows and made rows. Out: one table with ``origin`` and ``weight``, real columns only.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from shopsynth.combine.dose import companions_of, take_dose
from shopsynth.schema import (
    COMPANIONS,
    REAL,
    Dataset,
    InputError,
    SchemaError,
    TrainingSet,
    collect,
)

if TYPE_CHECKING:
    from shopsynth.combine.base import Material


def real_rows(material: "Material") -> pl.DataFrame:
    """Return the real rows with ``origin`` real and weight 1."""
    return _labelled(material.real_rows, pl.lit(REAL), pl.lit(1.0))


def synthetic_rows(material: "Material") -> pl.DataFrame:
    """Return the dose D′ of a material, aligned with the real table.

    Raises:
        InputError: If there are no synthetic rows.
    """
    wanted = round(material.ratio * material.real_rows.height)
    dose = take_dose(material.synthetic, wanted, material.table)
    if dose.is_empty():
        raise InputError(
            f"combine: expected {wanted} synthetic rows of {material.table}, got none; add a "
            "[[generate]] block that makes them, or loosen [combine] near_duplicate, "
            "near_duplicate_text or text_filters"
        )
    return made_rows(material, dose)


def control_rows(
    material: "Material", made: pl.DataFrame, origin: str, dose: pl.DataFrame
) -> pl.DataFrame:
    """Bring a control's rows into the real table's columns; they weigh what the dose does.

    Args:
        material: Gives the real columns and the catalogue.
        made: Rows to align.
        origin: Origin of all of them.
        dose: From :func:`synthetic_rows`; its mean weight is theirs.

    Raises:
        SchemaError: As :func:`made_rows`.
    """
    aligned = align_rows(made, material)
    weights = dose["weight"].to_numpy()
    return _labelled(aligned, pl.lit(origin), pl.lit(float(weights.mean())))


def made_rows(material: "Material", made: pl.DataFrame) -> pl.DataFrame:
    """Bring synthetic rows into the real table's columns, weighed by the dose and their source.

    Args:
        material: Gives the real columns, the catalogue and the weights.
        made: Rows to align, with a column ``origin``.

    Raises:
        SchemaError: If made rows cannot be ordered as real ones are, or name unknown items.
    """
    aligned = align_rows(made, material)
    origin = pl.col("origin")
    share = (
        origin.replace_strict(list(material.sources), list(material.sources.values()), default=1.0)
        if material.sources
        else pl.lit(1.0)
    )
    return _labelled(aligned.with_columns(made["origin"]), origin, share * material.weight)


def extra_rows(material: "Material", more: pl.DataFrame, origin: str) -> pl.DataFrame:
    """Bring further real rows into the real table's columns, with an origin and weight 1.

    Args:
        material: Gives the real columns and the catalogue.
        more: Real rows that are not among ``material.real``.
        origin: Origin of all of them.
    """
    aligned = align_rows(more, material)
    return _labelled(aligned, pl.lit(origin), pl.lit(1.0))


def align_rows(made: pl.DataFrame, material: "Material") -> pl.DataFrame:
    """Give made rows the real rows' columns, types and order of columns.

    Real columns win: others are dropped, missing ones are null. A ``position`` that only real
    events have is counted up from each made user's times.

    Args:
        made: Synthetic rows of the material's table.
        material: Gives the real rows and the catalogue.

    Raises:
        SchemaError: If ``timestamp`` is missing where real events have it, a column's values do not
            fit the real type, or items are not in the catalogue.
    """
    real, table = material.real_rows, material.table
    faults = []
    if table == "events" and "timestamp" in real.columns and "timestamp" not in made.columns:
        faults.append("column timestamp: real events have it, synthetic ones do not")
    n_unknown = made.join(material.real.items, on="item_id", how="anti").height
    if n_unknown:
        faults.append(f"column item_id: {n_unknown} of {made.height} are not in the catalogue")
    collect(f"synthetic {table}", faults, SchemaError)
    if table == "events" and "position" in real.columns and "position" not in made.columns:
        by_time = pl.col("timestamp").rank("ordinal").over("user_id").cast(pl.Int64)
        made = made.with_columns((by_time - 1).alias("position"))
    present = set(made.columns)
    try:
        return made.select(
            (pl.col(name) if name in present else pl.lit(None)).cast(dtype).alias(name)
            for name, dtype in real.schema.items()
        )
    except pl.exceptions.InvalidOperationError as error:
        raise SchemaError(
            f"synthetic {table}: values of some column do not fit the real column's type; expected "
            f"{dict(real.schema)}, got {dict(made.schema)}"
        ) from error


def training_set(
    material: "Material",
    arm: str,
    parts: list[pl.DataFrame],
    copies: Mapping[str, pl.DataFrame] | None = None,
) -> TrainingSet:
    """Stack aligned parts into the training set of an arm.

    Args:
        material: Gives the catalogue and the other tables; users and queries of made rows join
            the real ones.
        arm: The arm's name.
        parts: Tables from :func:`real_rows` and :func:`made_rows`.
        copies: Further users or queries that the rows name, in the real columns.
    """
    rows = pl.concat(parts)
    companions = _companions(material, rows)
    for name, more in (copies or {}).items():
        companions[name] = pl.concat([companions[name], more], how="diagonal")
    shop: Dataset = material.real.with_tables(**{material.table: rows}, **companions)
    return TrainingSet(shop, arm=arm, table=material.table)


def _companions(material: "Material", rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Put users and queries of made rows below the real ones."""
    sources = (material.synthetic, () if material.noise is None else (material.noise,))
    tables = {}
    for name, real in material.real.tables().items():
        key = COMPANIONS.get(name)
        if key is not None and key in rows.columns:
            found = [
                companions_of(at, of, name, material.table)
                for of in sources
                for at in range(len(of))
            ]
            made = [frame for frame in found if frame is not None]
            tables[name] = with_companions(real, made, rows, key)
    return tables


def with_companions(
    real: pl.DataFrame, made: Sequence[pl.DataFrame], rows: pl.DataFrame, key: str
) -> pl.DataFrame:
    """Put made users, or queries, that rows name below the real ones, in the real columns.

    Args:
        real: The real table, ``users`` or ``queries``.
        made: Synthetic ones.
        rows: What names them.
        key: Column by which they do.

    Example:
        >>> ann = pl.DataFrame({"user_id": ["ann"], "age": [40]})
        >>> bot = pl.DataFrame({"user_id": ["s-1", "s-2"], "age": [30, 50]})
        >>> events = pl.DataFrame({"user_id": ["ann", "s-2"]})
        >>> with_companions(ann, [bot], events, "user_id")["age"].to_list()
        [40, 50]
    """
    named = rows.select(key).drop_nulls().unique()
    aligned = [
        frame.join(named, on=key, how="semi", maintain_order="left").select(
            # What privacy made coarser may not be of the real type any more.
            pl.col(name).cast(dtype, strict=False)
            for name, dtype in real.schema.items()
            if name in frame.columns
        )
        for frame in made
    ]
    return pl.concat([real, *aligned], how="diagonal")


def _labelled(rows: pl.DataFrame, origin: pl.Expr, weight: pl.Expr) -> pl.DataFrame:
    """Put ``origin`` and ``weight`` behind the table's own columns, replacing any it had."""
    return rows.with_columns(
        origin.cast(pl.String).alias("origin"), weight.cast(pl.Float64).alias("weight")
    )
