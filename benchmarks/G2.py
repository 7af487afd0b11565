"""G2: few users to learn from, and others asked: does the shop's own knowledge, written out, help?

In: `--data`, a folder with the Amazon sets. Out: benchmarks/results/G2_<set>_<share>.json, one a
run, and G2.json, which says of all of them whether the goal was reached.

A share of the users trains; 5 % of the users, none of them trained on, choose options and dose;
others are asked once for their last item, over the full catalogue, their own history left out. The
share of 50 % is compared with the oracle: as many real users more as make 75 %.

    python benchmarks/G2.py --data DIR --set beauty --share 0.1 --workspace DIR
    python benchmarks/G2.py --collect
"""

from _proof import CONTROLS

GOALS = {0.1: 0.12, 0.25: 0.08, 0.5: 0.0}
ASKED = {0.1: 0.4, 0.25: 0.4, 0.5: 0.2}
NEURAL, SYSTEM = "sasrec", "system"
SHARES = ("10", "25", "50")


def recipe_for(share: float, data_set: str) -> dict[str, object]:
    """Everything but the tables; every arm has the same options and the same menu."""
    goal = GOALS[share]
    return {
        "title": f"G2, {data_set}, {share:.0%} of the users",
        "seed": 7,
        "split": {
            "by": "leave_one_out",
            "train_users": share,
            "validation_users": 0.05,
            "asked_users": ASKED[share],
        },
        "privacy": {"mode": "public"},
        "generate": [{"synthesizer": "teacher", "size": 10.0}],
        "combine": {"doses": [2.0, 10.0], "weights": [0.2, 1.0]},
        "train": {
            "models": ["item_knn", "content_knn", "hybrid", "gru4rec", "sasrec", "sasrec+hybrid"],
            "headline": NEURAL,
            "exclude_seen": True,
        },
        "evaluate": {
            "seeds": 3,
            "controls": [*CONTROLS, "side_information", "oracle"],
            "cutoffs": [10],
        },
        "prove": {
            "hypotheses": [
                {"name": NEURAL, "model": NEURAL, "goal": goal},
                {"name": SYSTEM, "model": SYSTEM},
            ]
        },
    }
