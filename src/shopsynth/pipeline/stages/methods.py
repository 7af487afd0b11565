"""The methods of a recipe: what each makes, which seeds it draws with, what it reads beside rows.

In: a checked recipe. Out: entries to run, names of tables, seeds, hashes of files.
"""

from pathlib import Path

from shopsynth.generate import SYNTHESIZERS, PaidSynthesizer, make_synthesizer
from shopsynth.pipeline.recipe import MAX_SIZE, GenerateSettings, Recipe
from shopsynth.schema import FURTHER, derived_seed, sha256_of_file

NOISES = {"events": "noise", "judgments": "noise_queries", "reviews": "noise_reviews"}
"""The method behind the control ``noise``, by the table it makes."""

_NOISE_SIZE = 1.5
"""Noise users, queries or reviews per synthetic one. Cropping and masking leave .77 of a history
(UCI Online Retail): with as many users the control would be smaller than the dose it matches."""


def is_noise(method: str) -> bool:
    """Say whether a method is a control, whose rows are judged but never released."""
    return method in NOISES.values()


def table_of(method: str) -> str:
    """Name the table a method makes."""
    return SYNTHESIZERS.get(method).table


def is_further(method: str) -> bool:
    """Say whether a method writes about items: rows that no arm is mixed of."""
    return table_of(method) in FURTHER


def located(entry: GenerateSettings, recipe: Recipe) -> GenerateSettings:
    """Let options that name files start from the recipe's folder."""
    names = getattr(SYNTHESIZERS.get(entry.synthesizer).Options, "paths", ())
    found = {
        name: str(recipe.base / Path(value).expanduser())
        for name in names
        if isinstance(value := entry.options.get(name), str)
    }
    return entry.model_copy(update={"options": entry.options | found}) if found else entry


def draw_seed(recipe: Recipe, method: str, number: int) -> int:
    """Return the seed of one of a method's draws."""
    return derived_seed(recipe.seed, "generate", method, number)


def files_of(entry: GenerateSettings) -> dict[str, str]:
    """Hash the files that options of a located entry name; a folder of answers decides nothing."""
    names = getattr(SYNTHESIZERS.get(entry.synthesizer).Options, "paths", ())
    return {
        name: sha256_of_file(path)
        for name in names
        if isinstance(value := entry.options.get(name), str) and (path := Path(value)).is_file()
    }


def all_files(recipe: Recipe) -> dict[str, str]:
    """Hash the files that options of all methods name."""
    return {
        f"{entry.synthesizer}.{name}": digest
        for entry in recipe.generate
        for name, digest in files_of(located(entry, recipe)).items()
    }


def entries(recipe: Recipe) -> tuple[GenerateSettings, ...]:
    """List the methods to run: the recipe's, and noise for each of their tables if a control."""
    wanted = recipe.generate
    if "noise" not in recipe.evaluate.controls:
        return wanted
    sizes: dict[str, float] = {}
    for entry in wanted:
        table = table_of(entry.synthesizer)
        if table in FURTHER:
            continue
        sizes[table] = sizes.get(table, 0.0) + entry.size
    named = {entry.synthesizer for entry in wanted}
    noises = [
        GenerateSettings(synthesizer=NOISES[table], size=min(MAX_SIZE, _NOISE_SIZE * size))
        for table, size in sizes.items()
        if NOISES[table] not in named
    ]
    return (*wanted, *noises)


def drawn_once(entry: GenerateSettings) -> bool:
    """Say whether all seeds share one draw of a located entry: a model's answers cost money."""
    method = make_synthesizer(entry.synthesizer, entry.options)
    return isinstance(method, PaidSynthesizer) and not method.each_seed
