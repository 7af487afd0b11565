"""The verdict in words that need no statistics.

In: an :class:`Evaluation` and the headline model. Out: one verdict, a paragraph in English and one
in Chinese, and the comparisons they rest on.
"""

from dataclasses import dataclass

from shopsynth.report._sentences_en import english
from shopsynth.report._sentences_zh import chinese
from shopsynth.report.comparisons import (
    NO_EFFECT,
    SIDE_INFORMATION,
    SYSTEM,
    Comparison,
    comparisons,
    find,
    task_of,
)
from shopsynth.schema import Evaluation


@dataclass(frozen=True)
class Headline:
    """What a reader takes away.

    Attributes:
        verdict: ``helps``, ``helps this model``, ``no effect shown`` or ``harms``.
        sentence_en: The paragraph in English.
        sentence_zh: The same in Chinese.
        rows: The headline model against real data and each control, then the best system with
            against the best system without; empty where nothing was compared.
        side: The headline model against side information used directly, where that ran.
    """

    verdict: str
    sentence_en: str
    sentence_zh: str
    rows: tuple[Comparison, ...]
    side: Comparison | None = None


def explain_verdict(
    evaluation: Evaluation,
    headline_model: str,
    metric: str,
    cutoff: int | None,
    *,
    task: str | None = None,
) -> Headline:
    """Say whether the synthetic rows helped, by how much, and what else could explain it.

    Args:
        evaluation: All results.
        headline_model: The model told first.
        metric: The headline metric.
        cutoff: Its list length.
        task: Downstream task; default: the first in which the model was measured.
    """
    task = task or task_of(evaluation, headline_model)
    found = (
        comparisons(evaluation, task=task, metric=metric, cutoff=cutoff) if task is not None else []
    )
    main = find(found, model=headline_model)
    if main is None:
        return Headline(
            NO_EFFECT,
            "No effect shown: no comparison of real + synthetic data with real data alone was made "
            "for the headline model, so nothing can be claimed.",
            "未显示效果：主模型没有进行“真实+合成”与“仅真实”的对比，因此不能得出任何结论。",
            (),
        )
    controls = tuple(
        item
        for item in found
        if item.model == headline_model and item.slice == "all" and item.is_control
    )
    system = find(found, model=SYSTEM)
    return Headline(
        main.verdict,
        english(main, controls, system, metric=metric, cutoff=cutoff),
        chinese(main, controls, system, metric=metric, cutoff=cutoff),
        (main, *controls, *((system,) if system and headline_model != SYSTEM else ())),
        find(found, model=headline_model, against=SIDE_INFORMATION),
    )
