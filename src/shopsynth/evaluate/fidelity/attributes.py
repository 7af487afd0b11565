"""Who does what: whether synthetic users' attributes go with behaviour as real users' do.

In: users' attributes and items' categories as codes, histories. Out: one number a figure.
"""

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from shopsynth.evaluate.fidelity.base import Behaviour, Figure
from shopsynth.evaluate.fidelity.distances import cramers_v, total_variation

_N_VALUES = 20
"""Values of an attribute or category told apart, the most frequent; the others count as one."""

_N_BINS = 5
"""Quantile bins of a numeric attribute."""

_LEAST_SHARE = 0.5
"""An attribute whose told values cover less is a name or a number of the user, not a trait."""

_LONGEST = 6
"""Histories of ``2 ** 6`` events and more are one class of length."""

Coder = Callable[[pl.Series], Mapping[str, np.ndarray]]


def attribute_coders(real: pl.DataFrame, made: pl.DataFrame) -> tuple[Coder, Coder]:
    """Prepare the codes of users' attributes, the same codes in both tables.

    Values are told apart by the real users: quantile bins of numbers and times, the most frequent
    of anything else. A user without a value, or without a row, has a code of its own.

    Args:
        real: Real users: ``user_id`` and attributes.
        made: Synthetic users likewise; attributes that only one table has are left out.

    Returns:
        Functions of sorted user ids that give the codes by attribute, for real and synthetic users.
    """
    expressions = []
    for name in real.columns:
        if name != "user_id" and name in made.columns:
            code = _code(real[name], made.schema[name])
            if code is not None:
                expressions.append(code.alias(name))

    def coder(users: pl.DataFrame) -> Coder:
        coded = users.unique("user_id", keep="first", maintain_order=True).select(
            "user_id", *expressions
        )

        def codes(user_ids: pl.Series) -> Mapping[str, np.ndarray]:
            asked = user_ids.alias("user_id").to_frame()
            found = asked.join(coded, on="user_id", how="left", maintain_order="left")
            return {
                name: found[name].fill_null(0).to_numpy()
                for name in found.columns
                if name != "user_id"
            }

        return codes

    return coder(real), coder(made)


def _code(values: pl.Series, made: pl.DataType) -> pl.Expr | None:
    """Write the code of an attribute, 0 where it is empty; ``None`` if it tells no groups."""
    known, column = values.drop_nulls(), pl.col(values.name)
    orderly = values.dtype.is_numeric() or values.dtype.is_temporal()
    if not known.len() or values.dtype.is_nested() or made.is_nested():
        return None
    if orderly and known.n_unique() > _N_VALUES and values.dtype == made:
        numbers = known.to_physical().cast(pl.Float64).drop_nans()
        inner = np.linspace(0, 1, _N_BINS + 1)[1:-1]
        edges = np.unique(np.quantile(numbers.to_numpy(), inner)).tolist()
        number = column.to_physical().cast(pl.Float64)
        return pl.sum_horizontal((number >= edge).cast(pl.Int64) for edge in edges) + pl.when(
            column.is_null()
        ).then(0).otherwise(1)
    texts = known.cast(pl.String).alias("value")
    counts = texts.value_counts(name="n").sort("n", "value", descending=[True, False])
    told = counts.head(_N_VALUES)
    if told["n"].sum() < _LEAST_SHARE * known.len():
        return None
    places = {value: place + 2 for place, value in enumerate(told["value"])}
    text = column.cast(pl.String)
    code = text.replace_strict(places, default=1, return_dtype=pl.Int64)
    return pl.when(column.is_null()).then(0).otherwise(code)


def item_groups(items: pl.DataFrame, catalogue: pl.Series, sold: pl.Series) -> np.ndarray | None:
    """Number the category of each item of the catalogue, or its brand where none has a category.

    Args:
        items: ``item_id`` and, if there is one, ``category`` (of a path only its first name
            counts) or ``brand``.
        catalogue: Item ids, in the order of the codes.
        sold: Item of each real event: the most frequent categories are told apart.

    Returns:
        Shape ``(n_items,)``, 0 for none, 1 for a rare one; or ``None`` if all items are alike.
    """
    for name in ("category", "brand"):
        if name in items.columns and items[name].null_count() < items.height:
            break
    else:
        return None
    top = pl.col(name).str.split(">").list.first().str.strip_chars()
    known = items.unique("item_id", keep="first", maintain_order=True).select(
        "item_id", group=top if name == "category" else pl.col(name)
    )
    counts = sold.alias("item_id").value_counts(name="n")
    frame = pl.DataFrame({"item_id": catalogue})
    for table in (counts, known):
        frame = frame.join(table, on="item_id", how="left", maintain_order="left")
    by_group = frame.drop_nulls("group").group_by("group").agg(pl.col("n").sum())
    told = by_group.sort("n", "group", descending=[True, False]).head(_N_VALUES)["group"]
    places = {value: place + 2 for place, value in enumerate(told)}
    code = pl.col("group").replace_strict(places, default=1, return_dtype=pl.Int64)
    groups = frame.select(pl.when(pl.col("group").is_null()).then(0).otherwise(code)).to_series()
    return groups.to_numpy() if groups.n_unique() > 1 else None


def _difference_of_association(real: Behaviour, made: Behaviour) -> float:
    """Average the difference of Cramér's V over all attributes and kinds of behaviour."""
    return _mean_over_tables(real, made, lambda a, b: abs(cramers_v(a) - cramers_v(b)))


def _difference_of_tables(real: Behaviour, made: Behaviour) -> float:
    """Average the distance of the joint shares: it also sees a link that was turned round."""
    return _mean_over_tables(real, made, total_variation)


def _mean_over_tables(
    real: Behaviour, made: Behaviour, distance: Callable[[np.ndarray, np.ndarray], float]
) -> float:
    tables = _tables(real), _tables(made)
    # A side without times or types tells nothing of them.
    both = [key for key in tables[0] if key in tables[1]]
    found = [distance(tables[0][key], tables[1][key]) for key in both]
    return float(np.mean(found)) if found else float("nan")


def _tables(side: Behaviour) -> dict[tuple[str, str], np.ndarray]:
    """Count users by attribute and behaviour; a user's events share its weight of 1.

    Returns:
        By names of attribute and behaviour, shape ``(attribute codes, behaviour codes)``.
    """
    weight = 1 / side.histories.lengths()[side.histories.user]
    size = _N_VALUES + 2
    tables = {}
    for attribute, codes in side.attributes.items():
        row = codes[side.histories.user] * size
        for name, column in _behaviours(side).items():
            counts = np.bincount(row + column, weights=weight, minlength=size * size)
            tables[attribute, name] = counts.reshape(size, size)
    return tables


def _behaviours(side: Behaviour) -> dict[str, np.ndarray]:
    """Code what each event tells of its user, shape ``(events,)``, below ``_N_VALUES + 2``."""
    histories = side.histories
    length = np.log2(histories.lengths()).astype(np.int64)
    found = {"length": np.minimum(length, _LONGEST)[histories.user]}
    if side.groups is not None:
        found["category"] = side.groups[histories.item]
    if side.step is not None:
        found["step"] = side.step.astype(np.int64) + 1
    if histories.time_us is not None:
        found["time of day"] = histories.hours() // 6
    return found


_ATTRIBUTES = frozenset({"attributes"})

FIGURES = (
    Figure(
        "attributes and behaviour: mean difference of Cramer's V (0 is best)",
        _difference_of_association,
        _ATTRIBUTES,
    ),
    Figure(
        "attributes with behaviour: mean total variation (0 is best)",
        _difference_of_tables,
        _ATTRIBUTES,
    ),
)
