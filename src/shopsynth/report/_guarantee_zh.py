"""The sentence of the guarantee in Chinese, and what it does not cover.

In: the ``privacy`` block of ``summary.json``. Out: plain sentences, written for Chinese readers
rather than translated.
"""

from shopsynth.report.numerals import rounded_up
from shopsynth.report.summary_parts import SummaryPrivacy

UNPROTECTED_ZH = (
    "对许多人都成立的规律，例如哪些商品常被一起购买。",
    "店铺、品牌和商品：商品目录已声明为公开信息。",
    "拥有多个账号的人：隐私损失随账号数量增长。",
    "共用账号或购买行为相似的家庭成员。",
    "他人文字中提到的第三人。",
    "同一份数据在本账本之外的其他发布。",
    "预训练模型此前已经学到的内容。",
    "运行所花的时间。",
    "能够读取原始数据、密钥或内部报告的人。",
)

WITHOUT_ZH = {
    "public": "输入数据已声明不含个人信息；没有做任何保护，也不作任何承诺。",
    "deidentify": "已去除能识别个人的信息。这不是差分隐私：数据仍是个人信息，"
    "由它生成的合成数据也是。",
    "dp": "无法给出保证：回执中没有损失有界的已付费机制。请把每一行合成数据都当作个人信息。",
    "unsafe_nonprivate": "没有做任何保护：合成方法直接学习了原始数据。"
    "请把每一行合成数据都当作个人信息，不要对外提供。",
}

_NOISE_ZH = {
    "gaussian": "离散高斯噪声",
    "poisson_gaussian": "每步一次的高斯噪声",
    "laplace": "离散拉普拉斯噪声",
    "pure": "随机选择",
}


def chinese_guarantee(privacy: SummaryPrivacy, strength: str) -> str:
    """Write the sentence; the arguments are those of :func:`english_guarantee`."""
    if not strength:
        return WITHOUT_ZH[privacy.mode]
    weak = "保护较弱（ε 大于 8，或数据源没有上限）：" if strength == "weak" else ""
    source = f"（数据源 {privacy.source_id}）" if privacy.source_id else ""
    bound = privacy.max_events_per_user
    limit = f"，每人最多 {bound} 条行为" if bound else ""
    unit = "用户" if privacy.unit == "user" else privacy.unit
    n = len(privacy.mechanisms)
    rates = sorted({c.sampling_rate for c in privacy.mechanisms if c.kind == "poisson_gaussian"})
    told = "、".join(f"{rate:.3g}" for rate in rates)
    drawn = (
        f"用户按公开比率 {told} 独立抽取（泊松抽样），逐用户裁剪梯度，除数公开。" if rates else ""
    )
    used = {charge.kind for charge in privacy.mechanisms}
    kinds = "、".join(name for kind, name in _NOISE_ZH.items() if kind in used)
    return (
        f"{weak}发布 {privacy.release}{source}满足"
        f"（ε = {rounded_up(privacy.epsilon)}，δ = {rounded_up(privacy.delta)}）差分隐私"
        f"（μ = {rounded_up(privacy.mu)}），相邻关系为增加或删除一名{unit}的全部数据"
        f"（以 {privacy.unit}_id 为键{limit}）。共 {n} 个机制，按隐私损失分布合成，为上界。"
        f"{drawn}噪声：{kinds}；来自操作系统的熵源，不接受种子。"
        f"取值域、分箱、上限和用户数均为公开声明或已付费获得。{_life(privacy)}"
    )


def _life(privacy: SummaryPrivacy) -> str:
    told = ""
    if privacy.source_epsilon is not None and privacy.budget is not None:
        told = (
            f"该数据源迄今全部发布合计 ε = {rounded_up(privacy.source_epsilon)}，"
            f"终身预算为 {privacy.budget}。"
        )
    if privacy.other_plans:
        return told + (
            f"该数据源另有 {privacy.other_plans} 个已付费的方案：如果本次发布是根据真实数据上的结果"
            "从多次发布中挑选的，这一挑选不在保证之内。"
        )
    return told + "没有付费或记录在案的、用这些人的数据进行的调参。"
