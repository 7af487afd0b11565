"""The two paragraphs of the verdict, in English and in Chinese.

In: the headline comparison, its controls and the best system's comparison. Out: plain sentences.
"""

from collections.abc import Sequence

from shopsynth.report.comparisons import Comparison
from shopsynth.report.labels import CONTROLS_EN, CONTROLS_ZH, MODELS, label, metric_label
from shopsynth.report.numerals import is_number, percent, score, signed

_NEUTRAL = "no effect shown"


def english(
    main: Comparison,
    controls: Sequence[Comparison],
    system: Comparison | None,
    *,
    metric: str,
    cutoff: int,
) -> str:
    """Write the English paragraph.

    Args:
        main: The headline model, combined against real.
        controls: The headline model, combined against each control.
        system: The best system with against the best without, where it was compared.
        metric: Metric name.
        cutoff: Its list length.
    """
    model, name = label(MODELS, main.model), metric_label(metric, cutoff)
    where = f"{model}'s {name} on real held-out data"
    facts = f"({_range_en(main)}; {score(main.value_without)} → {score(main.value_with)})"
    if main.verdict == "harms":
        parts = [f"Adding the synthetic data made {where} worse: {_amount(main)} {facts}."]
    elif main.verdict == _NEUTRAL and main.standing == "above":
        parts = [
            f"With the synthetic data {where} rose by {_amount(main)} {facts}, but that is not "
            "shown to be their doing.",
            _why_not_en(main, controls),
        ]
    elif main.verdict == _NEUTRAL:
        parts = [
            f"No effect shown: with the synthetic data {where} changed by {_amount(main)} {facts}.",
            _why_not_en(main, controls),
        ]
    else:
        parts = [
            f"Adding the synthetic data improved {where} by {_amount(main)} {facts}.",
            _controls_en(controls),
        ]
    return " ".join(part for part in [*parts, _system_en(system)] if part)


def chinese(
    main: Comparison,
    controls: Sequence[Comparison],
    system: Comparison | None,
    *,
    metric: str,
    cutoff: int,
) -> str:
    """Write the Chinese paragraph; the arguments are those of :func:`english`."""
    model, name = label(MODELS, main.model), metric_label(metric, cutoff)
    where = f"{model} 在真实留出数据上的 {name} "
    facts = f"（{_range_zh(main)}；{score(main.value_without)} → {score(main.value_with)}）"
    if main.verdict == "harms":
        parts = [f"加入合成数据后，{where}变差：{_amount(main)}{facts}。"]
    elif main.verdict == _NEUTRAL and main.standing == "above":
        parts = [
            f"加入合成数据后，{where}上升 {_amount(main)}{facts}，但不能证明这是合成数据的功劳。",
            _why_not_zh(main, controls),
        ]
    elif main.verdict == _NEUTRAL:
        parts = [
            f"未显示效果：加入合成数据后，{where}的变化为 {_amount(main)}{facts}。",
            _why_not_zh(main, controls),
        ]
    else:
        parts = [f"加入合成数据后，{where}提升 {_amount(main)}{facts}。", _controls_zh(controls)]
    return "".join(part for part in [*parts, _system_zh(system)] if part)


def _amount(item: Comparison) -> str:
    return percent(item.relative) if is_number(item.relative) else signed(item.absolute)


def _range_en(item: Comparison) -> str:
    if is_number(item.low) and is_number(item.high):
        return f"95 % interval {percent(item.low)} to {percent(item.high)}"
    if item.standing == "unknown":
        return "no interval could be computed"
    return f"95 % interval {signed(item.absolute_low)} to {signed(item.absolute_high)}"


def _range_zh(item: Comparison) -> str:
    if is_number(item.low) and is_number(item.high):
        return f"95% 置信区间 {percent(item.low)} 至 {percent(item.high)}"
    if item.standing == "unknown":
        return "无法计算区间"
    return f"95% 置信区间 {signed(item.absolute_low)} 至 {signed(item.absolute_high)}"


def _controls_en(controls: Sequence[Comparison]) -> str:
    if not controls:
        return "No control was run, so other explanations are open."
    rivals = [item for item in controls if item.standing != "above"]
    if not rivals:
        beaten = _join([label(CONTROLS_EN, item.against) for item in controls], "or")
        return f"The gain is not explained by {beaten}: the synthetic data beat each of them."
    names = _join([label(CONTROLS_EN, item.against) for item in rivals], "or")
    return f"It could be explained by {names}, which the synthetic data do not clearly beat."


def _controls_zh(controls: Sequence[Comparison]) -> str:
    if not controls:
        return "没有运行对照组，因此不能排除其他解释。"
    rivals = [item for item in controls if item.standing != "above"]
    if not rivals:
        beaten = "、".join(label(CONTROLS_ZH, item.against) for item in controls)
        return f"以下做法都不能解释这一提升：{beaten}；合成数据均优于它们。"
    names = "、".join(label(CONTROLS_ZH, item.against) for item in rivals)
    return f"以下做法可能解释这一提升，合成数据没有明显优于它们：{names}。"


def _why_not_en(main: Comparison, controls: Sequence[Comparison]) -> str:
    if main.standing == "above" and any(item.standing != "above" for item in controls):
        return _controls_en(controls)
    if main.standing == "above":
        return (
            "The interval lies above zero, but seeds are too few, tests too many or a control did "
            "not run, so it is not called an effect."
        )
    if main.standing == "below":
        return (
            "The interval lies below zero, but seeds are too few or tests too many to call it an "
            "effect."
        )
    if main.standing == "unknown":
        return ""
    if main.mde == 0:
        return "The model answers every question alike with and without them."
    power = f"; the test could have shown about ±{percent(main.mde, sign=False)} or more"
    return f"That is within chance{power if is_number(main.mde) else ''}."


def _why_not_zh(main: Comparison, controls: Sequence[Comparison]) -> str:
    if main.standing == "above" and any(item.standing != "above" for item in controls):
        return _controls_zh(controls)
    if main.standing == "above":
        return "区间虽高于零，但随机种子太少、检验太多或有对照组未能运行，不足以认定效果。"
    if main.standing == "below":
        return "区间虽低于零，但随机种子太少或检验太多，不足以认定效果。"
    if main.standing == "unknown":
        return ""
    if main.mde == 0:
        return "有没有这些数据，该模型对每个问题的回答都一样。"
    power = f"；本次检验能发现约 ±{percent(main.mde, sign=False)} 以上的效果"
    return f"这一变化在随机波动之内{power if is_number(main.mde) else ''}。"


def _system_en(system: Comparison | None) -> str:
    if system is None:
        return ""
    tail = f"{_amount(system)} ({_range_en(system)})"
    if system.standing in ("above", "below") and system.verdict == _NEUTRAL:
        side = "higher" if system.standing == "above" else "lower"
        claim = (
            f"The best system with synthetic data scored {side} than the best system without, "
            "which is not called an effect"
        )
    elif system.standing == "above":
        claim = "The best system with synthetic data is better than the best system without"
    elif system.standing == "below":
        claim = "The best system with synthetic data is worse than the best system without"
    else:
        claim = "The best system with synthetic data is not shown to differ from the best without"
    return f"{claim}: {tail}."


def _system_zh(system: Comparison | None) -> str:
    if system is None:
        return ""
    tail = f"{_amount(system)}（{_range_zh(system)}）"
    if system.standing in ("above", "below") and system.verdict == _NEUTRAL:
        side = "高于" if system.standing == "above" else "低于"
        claim = f"使用合成数据的最佳系统得分{side}不使用时的最佳系统，但不足以认定效果"
    elif system.standing == "above":
        claim = "使用合成数据的最佳系统优于不使用时的最佳系统"
    elif system.standing == "below":
        claim = "使用合成数据的最佳系统不如不使用时的最佳系统"
    else:
        claim = "使用与不使用合成数据的最佳系统之间未显示差异"
    return f"{claim}：{tail}。"


def _join(words: Sequence[str], last: str) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
