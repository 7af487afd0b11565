"""A verdict explained in plain Chinese, in seven answers.

In: a :class:`Case`. Out: pairs of question and answer; every sentence follows from a fact. The
sentences are written for Chinese readers and follow the facts, not the English wording.
"""

from collections.abc import Sequence

from shopsynth.report._sentences_zh import change_zh, range_zh
from shopsynth.report.case import MORE_SEEDS, Case
from shopsynth.report.claims import exploratory_reason_zh
from shopsynth.report.comparisons import SYSTEM
from shopsynth.report.labels import CONTROLS_ZH, LOWER_IS_BETTER, label, model_label
from shopsynth.report.numerals import is_number, percent_zh, probability, score

NOTHING = (
    "主模型没有在“仅真实数据”与“真实+合成数据”两组上做过对比，因此没有可以解释的结论。"
    "哪些训练失败、为什么失败，见下方的成本表。"
)

_ROLES = {"primary": "主要假设", "secondary": "次要假设", "exploratory": "探索性问题"}
_DOUBTS = {
    "same_compute": "多训练了一会儿：只用真实数据、训练同样久，效果并不明显更差",
    "oversample": "样本权重变了：把真实数据重复几遍，效果并不明显更差",
    "noise": "任何扰动都有用：随机改动真实数据，效果并不明显更差",
    "broken_link": "只是热门程度在起作用：把合成数据里的商品打乱，效果并不明显更差",
}
_ADVICE = {
    "same_compute": "先把模型在真实数据上训练到验证集不再提升，再比一次："
    "提升可能只是训练时间带来的。",
    "oversample": "先试试提高真实数据中冷门商品的权重，这几乎没有成本。",
    "noise": "换一个信息量高于随机扰动的生成方法，或更严格地过滤合成数据。",
    "broken_link": "换一个能学到“哪些商品会一起出现”的生成方法。",
}


def explain_zh(case: Case) -> tuple[tuple[str, str], ...]:
    """Answer seven questions about a verdict.

    Args:
        case: The facts.
    """
    return (
        ("问的是什么", _asked(case)),
        ("测到了什么", _measured(case)),
        ("和谁相比", _against(case)),
        ("有多大把握", _how_sure(case)),
        ("还有哪些可能的解释", _open(case)),
        ("怎样会改变结论", _change(case)),
        ("下一步做什么", _next(case)),
    )


def _subject(case: Case) -> str:
    return "最佳系统" if case.topic.model == SYSTEM else f" {case.topic.model_name} "


def _asked(case: Case) -> str:
    better = "更低" if case.topic.metric in LOWER_IS_BETTER else "更高"
    question = (
        f"与只用真实数据相比，把真实数据和合成数据放在一起训练，{_subject(case).lstrip()}"
        f"在真实留出问题上的 {case.topic.metric_name} 会不会{better}？"
    )
    claim, registration = case.claim, case.registration
    if claim is None:
        return f"{question}这个问题没有事先登记为假设。"
    role = _ROLES[claim.role]
    goal = f"，目标是 {percent_zh(claim.goal)}" if claim.goal else ""
    if registration is None:
        return f"{question}这是计划中的{role}{goal}，但计划没有登记。"
    if registration.exploratory:
        return (
            f"{question}这是{role}{goal}，但这一次读取测试数据只能算探索性的"
            f"（{exploratory_reason_zh(registration)}）。"
        )
    day = registration.registered_at[:10]
    return f"{question}这是{role}{goal}，在打开测试数据之前已于 {day} 登记。"


def _measured(case: Case) -> str:
    main = case.main
    on = f"在 {main.units:,} 个测试问题上，" if main.units else ""
    parts = [
        f"{on}加入合成数据得 {score(main.value_with)}，不加得 {score(main.value_without)}："
        f"{change_zh(main)}（{range_zh(main)}）。"
    ]
    if main.seeds:
        parts.append(f"{main.seeds} 次成对运行中有 {main.seeds_agree} 次方向一致。")
    if is_number(case.oracle_share) and main.gain > 0:
        share = percent_zh(case.oracle_share, sign=False)
        parts.append(f"这相当于增加同样多真实数据所得提升的 {share}。")
    return "".join(parts)


def _against(case: Case) -> str:
    if not case.controls:
        parts = ["只和真实数据比过，没有运行任何对照组。"]
    else:
        tested = _controls([item.against for item in case.controls])
        parts = [f"除了只用真实数据，还和不靠合成也可能带来同样提升的做法比过：{tested}。"]
        beaten = [item.against for item in case.controls if item.against not in case.unbeaten]
        if not case.unbeaten:
            parts.append("合成数据全部胜出。")
        elif not beaten:
            parts.append("合成数据没有明显胜过其中任何一种。")
        else:
            parts.append(f"没有明显胜过的是：{_controls(case.unbeaten)}。")
    if case.missing:
        parts.append(f"计划里有、但没有结果的是：{_controls(case.missing)}。")
    sides = {
        "beyond": "与直接使用辅助信息相比也更好。",
        "matched": "与直接使用辅助信息相当，但不更好。",
        "short": "不能证明它比得上直接使用辅助信息。",
        "": "没有和直接使用辅助信息的做法比过。",
    }
    return "".join([*parts, sides[case.side]])


def _how_sure(case: Case) -> str:
    main = case.main
    if main.standing == "unknown":
        return "算不出置信区间，因此什么也不能说。"
    if case.is_unchanged:
        return "有没有合成数据，该模型对每个问题的回答都一样。"
    sides = {
        "better": "置信区间全部落在改善一侧",
        "worse": "置信区间全部落在变差一侧",
        "around": "置信区间既包含改善也包含变差",
    }
    parts = [f"{sides[main.standing]}；经 Holm 校正后的 p 值为 {probability(main.p_holm)}。"]
    if is_number(main.mde):
        than = "低于" if case.is_underpowered else "不低于"
        parts.append(
            f"这次测试能可靠看出的最小变化是 {percent_zh(main.mde, sign=False)}，"
            f"实际测到的变化{than}它。"
        )
    if case.confirmed_by:
        names = "、".join(model_label(name) for name in case.confirmed_by)
        parts.append(f"其他架构中，{names} 的变化方向相同。")
    return "".join(parts)


def _open(case: Case) -> str:
    main = case.main
    if case.is_unchanged:
        return "没有：加不加这些数据，模型都一样。它不读这些数据，或者验证集让它保持了原样。"
    if main.standing == "around":
        doubts = ["偶然：没有任何效果时也会出现这么大的变化"]
    elif main.standing == "better":
        doubts = _doubts(case)
    else:
        doubts = []
    doubts += _weaknesses(case)
    if doubts:
        return f"{'；'.join(doubts)}。"
    if main.standing == "worse":
        return "在测试过的范围内没有别的解释：有对照组在场，变差依然存在。"
    return "在测试过的范围内没有别的解释。"


def _doubts(case: Case) -> list[str]:
    """List what could give the gain without synthesis."""
    found = [
        _DOUBTS.get(arm, f"{label(CONTROLS_ZH, arm)}：效果并不明显更差") for arm in case.unbeaten
    ]
    if case.missing:
        found.append(f"没有结果的对照组：{_controls(case.missing)}")
    if not case.controls and not case.missing:
        found.append("对照组本可排除的一切原因，因为一个对照组也没有运行")
    if case.side == "short":
        found.append("辅助信息：不做合成、直接用它，也许能得到同样的提升")
    if not case.is_system_helped:
        found.append("模型本身偏弱：最佳系统并未显示提升")
    if not case.confirmed_by:
        why = "其他架构没有同向变化" if case.other_models else "没有和其他架构比过"
        found.append(f"单一架构的特性：{why}")
    return found


def _weaknesses(case: Case) -> list[str]:
    """List what makes any result of this run weak."""
    found = []
    if case.has_few_seeds:
        found.append(f"运气：只有 {case.main.seeds} 次运行")
    if case.is_underpowered:
        found.append("测试规模不够：变化小于它能可靠看出的幅度")
    if case.is_exploratory:
        found.append("事后挑选：这个结果是探索性的")
    return found


def _change(case: Case) -> str:
    main, verdict = case.main, case.verdict
    if case.is_unchanged:
        return "换一个模型或换训练选项：这个模型没有从这些数据里学到东西。"
    if main.standing == "unknown":
        return "增加运行次数和测试问题，先让区间算得出来。"
    if verdict == "helps":
        return "有对照组做得一样好，运行次数增加后区间碰到零，或换一段时间的测试数据后提升消失。"
    if verdict == "harms":
        return "登记一个新计划，换一种生成方法或减少合成数据的用量，并且不再变差。"
    if main.standing == "better":
        return "".join(_hurdles(case) or [_power(case)])
    return _power(case)


def _hurdles(case: Case) -> list[str]:
    """List what a gain off zero still has to clear."""
    found = []
    open_controls = [*case.unbeaten, *case.missing]
    if open_controls:
        found.append(f"与以下做法相比的区间也高于零：{_controls(open_controls)}")
    if case.side == "short":
        found.append("区间能表明它不比直接使用辅助信息差")
    if not case.is_system_helped:
        found.append("最佳系统也有提升")
    if not case.confirmed_by:
        found.append("第二种架构也朝同一方向变化")
    if case.missed_goal:
        found.append(f"测到的变化达到 {percent_zh(case.missed_goal)} 的目标")
    return [f"{'；'.join(found)}。"] if found else []


def _power(case: Case) -> str:
    main = case.main
    if not is_number(main.mde) or not main.mde > 0 or main.seeds < 1:
        return "增加运行次数或测试问题。"
    more = MORE_SEEDS * main.seeds
    now, then = (percent_zh(x, sign=False) for x in (main.mde, case.mde_with(more)))
    text = (
        f"运行 {main.seeds} 次，看不出小于 {now} 的变化；运行 {more} 次，最好能看出 {then}，"
        "因为测试问题之间的差异不会随之减小。"
    )
    if case.is_underpowered and case.seeds_needed:
        text += f"要确认测到的 {change_zh(main)}，大约需要 {case.seeds_needed} 次运行。"
    elif case.is_underpowered:
        text += f"要确认测到的 {change_zh(main)}，再多运行几次也不现实。"
    return text


def _next(case: Case) -> str:
    if case.is_unchanged:
        return "换一个会从这些数据中学习的模型来评判合成数据。"
    if case.main.standing == "unknown":
        return "至少用三个随机种子重新运行。"
    return "".join(_steps(case))


def _steps(case: Case) -> list[str]:
    main, verdict = case.main, case.verdict
    if verdict == "harms":
        return ["不要给这个模型加合成数据。", "在新计划下，用验证集选更小的用量或别的生成方法。"]
    if verdict == "helps" and not case.is_exploratory:
        return ["拿去做 A/B 测试：离线指标不等于收入。"]
    if verdict in ("helps", "helps this model") and case.is_exploratory:
        steps = ["登记这个假设，再用谁都没看过的测试数据确认一次。"]
    elif main.standing == "better":
        steps = [_ADVICE[arm] for arm in case.unbeaten if arm in _ADVICE][:1]
        if case.missing or not case.controls:
            steps.append("把每个对照组都跑一遍。")
    elif case.is_underpowered:
        steps = ["先增加测试问题或运行次数，再评判生成方法。"]
    else:
        steps = ["在新计划下，用验证集选别的生成方法或用量。"]
    if case.side == "short":
        steps.append("先直接使用辅助信息：合成数据没有显示能比得上它。")
    if not case.is_system_helped and verdict == "helps this model":
        steps.append("上线不加合成数据的最佳系统：加了也没有显示更好。")
    if main.standing == "better" and not case.confirmed_by:
        steps.append(
            "先弄清其他架构为什么没有提升，再依赖这一个模型。"
            if case.other_models
            else "在候选模型中再加一种架构。"
        )
    return steps or ["增加运行次数，让校正后的检验能给出结论。"]


def _controls(arms: Sequence[str]) -> str:
    return "、".join(label(CONTROLS_ZH, arm) for arm in arms)
