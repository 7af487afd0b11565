"""Keys of stages: code that a stage runs is code that its key knows, wherever the code lies."""

import ast
from importlib.resources import files

import pytest

from shopsynth.pipeline.stages import STAGES

HERE = "shopsynth.pipeline.stages."
NO_RESULT_DEPENDS_ON = {"costs", "generate"}
"""Costs lie outside the digest; of generate the others take the name of the noise."""


def _imported(module: str) -> set[str]:
    """Name the modules of the stages' folder that one of them imports."""
    source = files("shopsynth").joinpath("pipeline", "stages", f"{module}.py")
    nodes = ast.walk(ast.parse(source.read_text(encoding="utf-8")))
    named = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name.removeprefix(HERE) for name in named if name.startswith(HERE)}


@pytest.mark.parametrize("name", ["split", "generate", "combine", "train", "evaluate"])
def test_a_stage_is_keyed_by_every_module_whose_functions_it_runs(name):
    needed = _imported(name) - NO_RESULT_DEPENDS_ON
    assert {HERE.removeprefix("shopsynth.") + each for each in needed} <= set(STAGES[name].rooms)
