"""source_name: what a shop is called in the ledger, as long as it lives.

In: a recipe. Out: a name that stays when rows, files, workspace or budget change.
"""

from shopsynth.pipeline.recipe import Recipe
from shopsynth.schema import PrivacyError


def source_name(recipe: Recipe) -> str:
    """Return the name that the recipe gives its source.

    Raises:
        PrivacyError: If it gives none. There is no default: files move, and a budget must not.
    """
    if recipe.privacy.source is None:
        raise PrivacyError(
            "privacy.source: expected a name for the shop that stays when files move or rows are "
            "added, got none; the ledger keeps the budget for life under it"
        )
    return recipe.privacy.source
