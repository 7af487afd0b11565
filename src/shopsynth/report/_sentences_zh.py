"""The paragraph of the verdict in Chinese, and its figures in words.

In: the headline comparison, its controls and the best system's comparison. Out: plain sentences,
written for Chinese readers rather than translated; figures stand without a space before ``%``.
"""

from collections.abc import Sequence

from shopsynth.report.comparisons import NO_EFFECT, Comparison
from shopsynth.report.labels import CONTROLS_ZH, label, metric_label, model_label
from shopsynth.report.numerals import is_number, percent_zh, score, signed


def chinese(
    main: Comparison,
    controls: Sequence[Comparison],
    system: Comparison | None,
    *,
    metric: str,
    cutoff: int | None,
) -> str:
    """Write the Chinese paragraph; the arguments are those of :func:`english`."""
    model, name = model_label(main.model), metric_label(metric, cutoff)
    where = f"{model} 在真实留出数据上的 {name} "
    facts = f"（{range_zh(main)}；{score(main.value_without)} → {score(main.value_with)}）"
    if main.verdict == "harms":
        parts = [f"加入合成数据后，{where}变差了 {size_zh(main)}{facts}。"]
    elif main.verdict == NO_EFFECT and main.standing == "better":
        parts = [
            f"加入合成数据后，{where}改善了 {size_zh(main)}{facts}，但不能证明这是合成数据的功劳。",
            _why_not_zh(main, controls),
        ]
    elif main.verdict == NO_EFFECT:
        parts = [
            f"未显示效果：加入合成数据后，{where}的变化为 {change_zh(main)}{facts}。",
            _why_not_zh(main, controls),
        ]
    else:
        parts = [f"加入合成数据后，{where}提升 {size_zh(main)}{facts}。", _controls_zh(controls)]
    return "".join(part for part in [*parts, _system_zh(system)] if part)


def change_zh(item: Comparison) -> str:
    """Write the change with its sign, relative where that exists."""
    return percent_zh(item.relative) if is_number(item.relative) else signed(item.absolute)


def size_zh(item: Comparison) -> str:
    """Write the size of the change for a verb that says which way it went."""
    if is_number(item.relative):
        return percent_zh(abs(item.relative), sign=False)
    return score(abs(item.absolute))


def range_zh(item: Comparison) -> str:
    """Write the 95 % interval of the change."""
    if is_number(item.low) and is_number(item.high):
        return f"95% 置信区间 {percent_zh(item.low)} 至 {percent_zh(item.high)}"
    if item.standing == "unknown":
        return "无法计算区间"
    return f"95% 置信区间 {signed(item.absolute_low)} 至 {signed(item.absolute_high)}"


def _controls_zh(controls: Sequence[Comparison]) -> str:
    if not controls:
        return "没有运行对照组，因此不能排除其他解释。"
    rivals = [item for item in controls if item.standing != "better"]
    if not rivals:
        beaten = "、".join(label(CONTROLS_ZH, item.against) for item in controls)
        return f"以下做法都不能解释这一提升：{beaten}；合成数据均优于它们。"
    names = "、".join(label(CONTROLS_ZH, item.against) for item in rivals)
    return f"以下做法可能解释这一提升，合成数据没有明显优于它们：{names}。"


def _why_not_zh(main: Comparison, controls: Sequence[Comparison]) -> str:
    if main.standing == "better" and any(item.standing != "better" for item in controls):
        return _controls_zh(controls)
    if main.standing == "better":
        return "区间虽在改善一侧，但随机种子太少、检验太多或有对照组未能运行，不足以认定效果。"
    if main.standing == "worse":
        return "区间虽在变差一侧，但随机种子太少或检验太多，不足以认定效果。"
    if main.standing == "unknown":
        return ""
    if main.mde == 0:
        return "有没有这些数据，该模型对每个问题的回答都一样。"
    power = f"；本次检验能发现约 ±{percent_zh(main.mde, sign=False)} 以上的效果"
    return f"这一变化在随机波动之内{power if is_number(main.mde) else ''}。"


def _system_zh(system: Comparison | None) -> str:
    if system is None:
        return ""
    tail = f"{change_zh(system)}（{range_zh(system)}）"
    if system.standing in ("better", "worse") and system.verdict == NO_EFFECT:
        side = "好于" if system.standing == "better" else "差于"
        claim = f"使用合成数据的最佳系统表现{side}不使用时的最佳系统，但不足以认定效果"
    elif system.standing == "better":
        claim = "使用合成数据的最佳系统优于不使用时的最佳系统"
    elif system.standing == "worse":
        claim = "使用合成数据的最佳系统不如不使用时的最佳系统"
    else:
        claim = "使用与不使用合成数据的最佳系统之间未显示差异"
    return f"{claim}：{tail}。"
