"""From a recipe to a workspace: the stages laid over parts, resumable, on any executor."""

from shopsynth.pipeline.base import Executor, ObjectStore, PartRef, Task, TaskResult
from shopsynth.pipeline.cold import AUTO, ColdStart, cold_start
from shopsynth.pipeline.cold_users import cold_users
from shopsynth.pipeline.doctor import Finding, examine
from shopsynth.pipeline.export import export
from shopsynth.pipeline.ledgers import ToldLedger, raise_budget, read_ledger
from shopsynth.pipeline.looks import Look
from shopsynth.pipeline.models import ToldModel, add_model, list_models
from shopsynth.pipeline.preview import preview
from shopsynth.pipeline.prove import prove, read
from shopsynth.pipeline.recipe import Recipe, load_recipe, make_recipe
from shopsynth.pipeline.run import RunResult, run
from shopsynth.pipeline.scan import Scan, scan
from shopsynth.pipeline.stages import STAGES
from shopsynth.pipeline.starter import Starter, starter_recipe
from shopsynth.pipeline.told import ToldPlan, ToldResult, told_plan, told_result
from shopsynth.pipeline.workspace import Workspace

__all__ = [
    "AUTO",
    "STAGES",
    "ColdStart",
    "Executor",
    "Finding",
    "Look",
    "ObjectStore",
    "PartRef",
    "Recipe",
    "RunResult",
    "Scan",
    "Starter",
    "Task",
    "TaskResult",
    "ToldLedger",
    "ToldModel",
    "ToldPlan",
    "ToldResult",
    "Workspace",
    "add_model",
    "cold_start",
    "cold_users",
    "examine",
    "export",
    "list_models",
    "load_recipe",
    "make_recipe",
    "preview",
    "prove",
    "raise_budget",
    "read",
    "read_ledger",
    "run",
    "scan",
    "starter_recipe",
    "told_plan",
    "told_result",
]
