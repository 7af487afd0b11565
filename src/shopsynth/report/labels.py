"""Names that a reader who never saw the code understands.

In: the words of the tables (arm, model, slice, metric, reason). Out: words for headings and axes.
Unknown words, of plug-ins for example, are shown as they are, with spaces for underscores.
"""

from shopsynth.schema import FUSED

ARMS = {
    "real": "Real data only",
    "combined": "Real + synthetic",
    "synthetic": "Synthetic only",
    "same_compute": "Real, trained as long",
    "oversample": "Real, rows duplicated",
    "noise": "Real + random noise",
    "broken_link": "Real + shuffled synthetic",
    "side_information": "Real + side information",
    "oracle": "Real + more real rows",
}

AGAINST = {
    "real": "vs real data only",
    "same_compute": "vs as much training",
    "oversample": "vs duplicated rows",
    "noise": "vs random noise",
    "broken_link": "vs shuffled items",
    "side_information": "vs side information",
    "oracle": "vs more real rows",
    "synthetic": "vs synthetic only",
}

CONTROLS_EN = {
    "same_compute": "training as long on real data alone",
    "oversample": "duplicating real rows",
    "noise": "adding random noise",
    "broken_link": "shuffling which items belong together",
    "side_information": "using the side information directly",
}

CONTROLS_ZH = {
    "same_compute": "仅用真实数据做同等训练",
    "oversample": "重复真实数据",
    "noise": "加入随机噪声",
    "broken_link": "打乱商品之间的对应关系",
    "side_information": "直接使用辅助信息",
}

MODELS = {
    "popularity": "Popularity",
    "item_knn": "ItemKNN",
    "markov": "Markov",
    "content_knn": "Content KNN",
    "als": "ALS",
    "bpr": "BPR",
    "hybrid": "Hybrid KNN",
    "sasrec": "SASRec",
    "gru4rec": "GRU4Rec",
    "system": "Best system",
}

SLICES = {
    "all": "All answers",
    "cold": "Cold items",
    "tail": "Tail items",
    "warm": "Warm items",
    "short": "Short histories or texts",
    "new": "New users",
}

METRICS = {
    "ndcg": "NDCG",
    "recall": "Recall",
    "mrr": "MRR",
    "map": "MAP",
    "hit_rate": "Hit rate",
    "precision": "Precision",
    "novelty": "Novelty",
    "coverage": "Coverage",
    "gini": "Gini of exposure",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "rmse": "RMSE",
    "f1": "F1",
    "accuracy": "Accuracy",
    "macro_f1": "Macro-F1",
}

LOWER_IS_BETTER = frozenset({"gini", "rmse"})
"""Metrics of which less is better: an error, and inequality."""

QUANTITIES = {
    "popularity": ("Item popularity", "item, by rank", "share of events"),
    "history_length": ("Events per user", "events", "share of users"),
    "hour_of_day": ("Hour of the day", "hour (UTC)", "share of events"),
    "gap_days": ("Time between events", "time since the event before", "share of events"),
}
"""Title, unit of the horizontal axis and of the vertical axis, by quantity."""

VERDICTS = {
    "helps": ("✓", "Synthetic data helps", "合成数据有效"),
    "helps this model": ("◐", "Helps this model only", "仅对该模型有效"),
    "no effect shown": ("○", "No effect shown", "未显示效果"),
    "harms": ("✕", "Synthetic data harms", "合成数据有害"),
}
"""Sign, English heading and Chinese heading, by verdict."""

STANDINGS = {
    "better": "✓ beaten",
    "few": "○ too few runs to say",
    "around": "○ not clearly beaten",
    "worse": "✕ better than synthetic",
    "unknown": "not measured",
}
"""How a control fares, by where the interval of synthetic against control lies, and whether there
are runs enough to go by it."""

SIGNS = {"better": "✓", "few": "○", "around": "○", "worse": "✕", "unknown": "–"}
"""One sign a standing, for labels beside a mark."""

SIDES = {
    "beyond": "✓ beaten",
    "matched": "○ matched, which is enough",
    "short": "✕ not shown to be matched",
}
"""How using the side information directly fares; matching it within the margin is enough."""

ROLES = {"primary": "Primary", "secondary": "Secondary", "exploratory": "Exploratory"}


def plain(word: str) -> str:
    """Turn a table's word into reading words.

    Example:
        >>> plain("near_duplicate_of_test")
        'near duplicate of test'
    """
    return word.replace("_", " ")


def label(known: dict[str, str], word: str) -> str:
    """Look a word up, or show it plainly.

    Example:
        >>> label(MODELS, "sasrec"), label(MODELS, "my_model")
        ('SASRec', 'my model')
    """
    return known.get(word, plain(word))


def model_label(model: str) -> str:
    """Name a model, or the models whose rankings are fused.

    Example:
        >>> model_label("sasrec"), model_label("sasrec+hybrid")
        ('SASRec', 'SASRec + Hybrid KNN')
    """
    return " + ".join(label(MODELS, part) for part in model.split(FUSED))


def metric_label(metric: str, cutoff: int | None) -> str:
    """Write a metric with its list length, where it has one.

    Example:
        >>> metric_label("ndcg", 10), metric_label("auroc", 0)
        ('NDCG@10', 'AUROC')
    """
    name = label(METRICS, metric)
    return f"{name}@{cutoff}" if cutoff else name
