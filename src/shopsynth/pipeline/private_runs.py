"""What mode dp asks of a recipe before a row is read: public facts where others count people.

In: a recipe. Out: every fault at once.

Whatever depends on many people's rows has a price. Rules about one row or one user have none, the
catalogue is declared public, and the rest has to be declared or bought (PRIVACY §2).
"""

from shopsynth.clean import CleanSettings
from shopsynth.ingest import PERSONAL_TABLES, TableSource, readers_by_name, undeclared
from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.text_filters import private_filter_faults
from shopsynth.privacy import check_budget
from shopsynth.schema import PrivacyError, collect

_USER_LOCAL_CLEANERS = frozenset(CleanSettings().cleaners)
"""The built-in ones: each looks at one row, at one user's rows, or at the catalogue alone."""


def check_private_run(recipe: Recipe) -> None:
    """Refuse a recipe in mode dp whose stages would look at many people's rows for free.

    Raises:
        PrivacyError: With every fault; those of the budget first.
    """
    if recipe.privacy.mode != "dp":
        return
    check_budget(recipe.privacy)
    faults = []
    if recipe.privacy.source is None:
        faults.append(
            "privacy.source: mode dp needs a name for the shop that stays when files move or rows "
            "are added, got none; the budget for life is kept under it"
        )
    if recipe.shop.items is None:
        faults.append(
            "shop.items: mode dp needs a declared, public catalogue, got none; items taken from "
            "people's events would tell what was bought: add a block [shop.items]"
        )
    elif shared := _read_from_the_same_rows(recipe, recipe.shop.items):
        faults.append(
            f"shop.items: mode dp needs a declared, public catalogue, got the rows of "
            f"{', '.join(shared)}; their items, titles and prices are what people bought: name a "
            "file or table of the catalogue alone"
        )
    for name, source in recipe.shop.sources().items():
        faults += undeclared(name, source, readers_by_name(source))
    if not recipe.split.has_public_cuts:
        faults.append(
            f"split.by = {recipe.split.by!r} cuts where everybody's rows say; expected public "
            'dates, split.validation_from and split.test_from, or by = "leave_one_out", of texts '
            '"review"'
        )
    strangers = sorted(set(recipe.clean.cleaners) - _USER_LOCAL_CLEANERS)
    if strangers:
        faults.append(
            f"clean.cleaners: {', '.join(strangers)} may compare people with each other; mode dp "
            "takes built-in cleaners alone"
        )
    faults += private_filter_faults(recipe)
    collect("mode dp", faults, PrivacyError)


def _read_from_the_same_rows(recipe: Recipe, items: TableSource) -> list[str]:
    """Name the tables that people made and whose rows the catalogue would be read from."""
    home = _home(recipe, items)
    sources = {name: getattr(recipe.shop, name) for name in PERSONAL_TABLES}
    return [name for name, each in sources.items() if each and _home(recipe, each) == home]


def _home(recipe: Recipe, source: TableSource) -> tuple[str, str | None]:
    """Say where a source lies; two spellings of one local path are one place."""
    local = "://" not in source.path and not source.path.startswith("embedded:")
    return str((recipe.base / source.path).resolve()) if local else source.path, source.table
