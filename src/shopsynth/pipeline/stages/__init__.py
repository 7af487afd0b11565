"""One file a stage: how its rooms' functions are laid over parts with the four verbs."""

from shopsynth.pipeline.stages.base import Stage, StageContext, StageOutput
from shopsynth.pipeline.stages.clean import STAGE as CLEAN
from shopsynth.pipeline.stages.combine import STAGE as COMBINE
from shopsynth.pipeline.stages.evaluate import STAGE as EVALUATE
from shopsynth.pipeline.stages.generate import STAGE as GENERATE
from shopsynth.pipeline.stages.ingest import STAGE as INGEST
from shopsynth.pipeline.stages.privacy import STAGE as PRIVACY
from shopsynth.pipeline.stages.report import STAGE as REPORT
from shopsynth.pipeline.stages.split import STAGE as SPLIT
from shopsynth.pipeline.stages.train import STAGE as TRAIN

STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        INGEST, CLEAN, SPLIT, PRIVACY, GENERATE, COMBINE, TRAIN, EVALUATE, REPORT,
    )
}  # fmt: skip
"""The journey, in order."""

__all__ = ["STAGES", "Stage", "StageContext", "StageOutput"]
