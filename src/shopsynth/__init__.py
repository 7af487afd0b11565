"""shopsynth: more training data from a shop's real data, private, with a proven uplift.

In: a shop's files and a recipe. Out: a workspace with synthetic data, models and a verdict.
Nothing heavy is imported here; each public name loads its room on first use.
"""

from importlib import import_module
from typing import Any

_PUBLIC = {
    "Dataset": "shopsynth.schema",
    "Split": "shopsynth.schema",
    "SyntheticDataset": "shopsynth.schema",
    "ShopsynthError": "shopsynth.schema",
    "read": "shopsynth.pipeline",
    "run": "shopsynth.pipeline",
    "prove": "shopsynth.pipeline",
    "load_recipe": "shopsynth.pipeline",
}

__all__ = [*sorted(_PUBLIC), "__version__"]


def __getattr__(name: str) -> Any:
    """Load a public name's room the first time the name is used."""
    if name == "__version__":
        from importlib.metadata import version

        return version("shopsynth")
    if name not in _PUBLIC:
        raise AttributeError(f"module 'shopsynth' has no attribute {name!r}; it has {__all__}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return __all__
