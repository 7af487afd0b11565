"""source_name: what a shop is called in the ledger, as long as it lives.

In: a recipe. Out: a name that stays when rows, workspace or budget change.
"""

from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.redaction import redacted
from shopsynth.schema import sha256_of


def source_name(recipe: Recipe) -> str:
    """Name the source: ``[privacy] source``, or what its tables are and where they lie.

    A default depends on the places alone. Data that move need the name; the ledger refuses rows
    that it knows under another one.
    """
    if recipe.privacy.source is not None:
        return recipe.privacy.source
    places = {}
    for table, source in redacted(recipe.shop.model_dump(mode="json")).items():
        if source is None:
            continue
        path = source["path"]
        local = "://" not in path and not path.startswith("embedded:")
        places[table] = [str((recipe.base / path).resolve()) if local else path, source["table"]]
    return f"shop-{sha256_of(places)[:16]}"
