"""What was claimed before the test data were opened, and what became of it.

In: the hypotheses and the registration of a summary. Out: one table of claims, passed or not in the
same size, and a note on what a reader may conclude from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from shopsynth.report.labels import AGAINST, ROLES, SLICES, label, metric_label, model_label, plain
from shopsynth.report.numerals import is_number, percent, probability
from shopsynth.report.summary_parts import SummaryHypothesis, SummaryRegistration
from shopsynth.report.tables import Table

_COLUMNS = ("Claim", "Role", "Result", "Verdict", "Measured, 95 % interval", "Detectable",
            "p (Holm)", "Controls not beaten", "Side information", "Moves the same way",
            "Of oracle's gain")  # fmt: skip

_SHOWN_OF_HASH = 12


@dataclass(frozen=True)
class RegistrationNote:
    """Whether the claims of a page can be confirmed by it.

    Attributes:
        kind: ``confirmatory``, ``exploratory`` or ``unregistered``; the badge's look.
        badge_en: The badge in English.
        badge_zh: The badge in Chinese.
        text_en: Plan, look and reason in English.
        text_zh: The same in Chinese.
    """

    kind: Literal["confirmatory", "exploratory", "unregistered"]
    badge_en: str
    badge_zh: str
    text_en: str
    text_zh: str


def registration_note(registration: SummaryRegistration | None) -> RegistrationNote:
    """Say when the plan was fixed, which look at the test data this is, and what that means.

    Args:
        registration: ``None`` where no plan was registered.
    """
    if registration is None:
        return RegistrationNote(
            "unregistered",
            "Not registered",
            "未登记",
            "No plan was registered before the test data were opened, so nothing on this page is a "
            "confirmation.",
            "打开测试数据之前没有登记计划，因此本页的任何结果都不能算作确认。",
        )
    plan = registration.plan_sha256[:_SHOWN_OF_HASH]
    en, zh = "No plan", "没有计划"
    if plan:
        en = f"Plan {plan}, registered {registration.registered_at}"
        zh = f"计划 {plan}，登记于 {registration.registered_at}"
    en = f"{en}; look {registration.look} of {registration.looks} at test data."
    zh = f"{zh}；第 {registration.look} 次（共 {registration.looks} 次）读取测试数据。"
    if registration.exploratory:
        reason = registration.reason.rstrip(".")
        reason_zh = exploratory_reason_zh(registration)
        return RegistrationNote(
            "exploratory",
            "EXPLORATORY",
            "探索性",
            f"{en} Why: {reason}. Read every verdict as an idea for a new plan, not as a "
            "confirmation.",
            f"{zh}原因：{reason_zh}。以下结论只能作为新计划的线索，不能算作确认。",
        )
    is_later = registration.look > 1
    others_en = " Earlier looks were at other test data." if is_later else ""
    others_zh = "之前读取的是另外的测试数据。" if is_later else ""
    return RegistrationNote(
        "confirmatory",
        "Confirmatory",
        "验证性",
        f"{en} The claims were fixed before these test data were opened.{others_en}",
        f"{zh}打开这批测试数据之前，以下假设已经确定。{others_zh}",
    )


def exploratory_reason_zh(registration: SummaryRegistration) -> str:
    """Say in Chinese why a look confirms nothing; the recorded reason is English."""
    if not registration.plan_sha256:
        return "读取测试数据时还没有登记计划"
    if registration.look > 1:
        return "这批测试数据的全部或一部分此前已被读取过"
    return "计划没有在读取测试数据之前登记好"


def claims_table(hypotheses: Sequence[SummaryHypothesis]) -> Table:
    """List every registered claim, the primary ones first.

    Args:
        hypotheses: Of all tasks.
    """
    several = len({item.task for item in hypotheses}) > 1
    ordered = sorted(hypotheses, key=lambda item: list(ROLES).index(item.role))
    return Table(_COLUMNS, tuple(_cells(item, several=several) for item in ordered))


def _cells(item: SummaryHypothesis, *, several: bool) -> tuple[str, ...]:
    name = f"{claim_name(item)}: {claimed(item)}"
    return (
        f"{plain(item.task).capitalize()}, {name}" if several else name,
        ROLES[item.role],
        outcome(item),
        item.verdict,
        measured(item),
        percent(item.mde, sign=False),
        probability(item.p_holm),
        *_conditions(item),
        percent(item.oracle_share, sign=False) if is_number(item.oracle_share) else "not measured",
    )


def outcome(item: SummaryHypothesis) -> str:
    """Say whether a claim passed.

    Example:
        Of a claim that failed: ``✕ failed``.
    """
    return "✓ passed" if item.passed else "✕ failed"


def claim_name(item: SummaryHypothesis) -> str:
    """Name a claim by its model, metric and slice, after the plan's own name if it gave one."""
    name = f"{model_label(item.model)}, {metric_label(item.metric, item.cutoff)}"
    if item.slice != "all":
        name = f"{name}, {label(SLICES, item.slice).lower()}"
    # The evaluate room builds the name of a claim without one from its model and metric.
    built = item.name.removeprefix(f"{item.task} ").startswith(f"{item.model} {item.metric}")
    is_own = item.name and not built
    return f"{item.name} ({name})" if is_own else name


def claimed(item: SummaryHypothesis) -> str:
    """Say what was claimed, with its goal or margin."""
    if item.kind == "non_inferiority":
        return f"no more than {percent(item.margin, sign=False)} worse than real data alone"
    if not item.goal:
        return "better than real data alone"
    return f"better than real data alone, by {percent(item.goal)} or more"


def measured(item: SummaryHypothesis) -> str:
    """Write the measured uplift with its interval."""
    if not is_number(item.relative):
        return "no relative change"
    if not is_number(item.low) or not is_number(item.high):
        return f"{percent(item.relative)}, interval without bound"
    return f"{percent(item.relative)} [{percent(item.low)}, {percent(item.high)}]"


def _conditions(item: SummaryHypothesis) -> tuple[str, str, str]:
    """Write what a claim of a gain must show besides; a claim of no loss is not asked for it."""
    if item.kind == "non_inferiority":
        return ("not asked",) * 3
    controls = [label(AGAINST, name).removeprefix("vs ") for name in _listed(item.unbeaten)]
    models = [model_label(name) for name in _listed(item.confirmed_by)]
    return (
        ", ".join(controls) or "none",
        item.side_information or "not compared",
        ", ".join(models) or "none",
    )


def _listed(joined: str) -> list[str]:
    return [name.strip() for name in joined.split(",") if name.strip()]
