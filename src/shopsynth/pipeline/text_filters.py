"""What is wrong with the filters of texts that a recipe names, known before a row is read.

In: a recipe. Out: faults.
"""

from shopsynth.combine import TEXT_FILTERS, table_faults
from shopsynth.generate import SYNTHESIZERS
from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.stages.agreement import AGREEMENT, TASK
from shopsynth.schema import RecipeError
from shopsynth.train import make_ranker


def text_filter_faults(recipe: Recipe) -> list[str]:
    """List filters that have nothing to filter, and bad options of the model that judges grades.

    Unknown methods are left to whoever checks names.
    """
    settings = recipe.combine
    named = {entry.synthesizer for entry in recipe.generate} & set(SYNTHESIZERS.names())
    made = {SYNTHESIZERS.get(name).table for name in named}
    faults = [
        f"combine.text_filters: {fault}; leave it out, or add such a method under [[generate]]"
        for fault in table_faults(settings.text_filters, made)
    ]
    if AGREEMENT in settings.text_filters:
        model = settings.agreement_model
        try:
            make_ranker(TASK, model, recipe.train.options.get(model, {}))
        except RecipeError as error:
            faults.append(str(error))
    return faults


def private_filter_faults(recipe: Recipe) -> list[str]:
    """List filters that mode dp cannot have: what they drop tells of people's rows for free."""
    reading = [name for name in recipe.combine.text_filters if TEXT_FILTERS[name].reads_real]
    if not reading:
        return []
    able = [name for name, known in TEXT_FILTERS.items() if not known.reads_real]
    return [
        f"combine.text_filters: {', '.join(reading)} read people's texts or judgments, and what "
        f"they drop would tell of these for free; mode dp takes {', '.join(able)} alone, which "
        "read made texts and the public catalogue"
    ]
