"""Write down what you claim before you look: the plan, its hash, and what would change it.

In: a recipe; no data is read. Out: the hypotheses with their defaults filled in, on the screen.

    .venv/bin/python examples/05_register_a_claim.py
"""

from pathlib import Path

import shopsynth
from shopsynth.pipeline import told_plan

RECIPE = Path(__file__).with_name("online_retail.toml")

CLAIMS = """[
    { model = "system", goal = 0.03 },
    { role = "secondary", slice = "tail", metric = "recall", goal = 0.25 },
    { role = "secondary", kind = "non_inferiority", slice = "warm" },
]"""


def main() -> None:
    recipe = shopsynth.load_recipe(RECIPE, overrides=(f"prove.hypotheses={CLAIMS}",))
    plan = told_plan(recipe)
    for name, role, wanted in plan.rows:
        print(f"{role}: {name}, uplift {wanted}")
    for line in plan.lines:
        print(line)
    print(f"Plan: {plan.sha256}")

    # A title is no part of a claim; the number of seeds is.
    for override in ('title = "Monday"', "evaluate.seeds = 5"):
        changes = (f"prove.hypotheses={CLAIMS}", override)
        other = told_plan(shopsynth.load_recipe(RECIPE, overrides=changes))
        same = "the same plan" if other.sha256 == plan.sha256 else "another plan"
        print(f"with {override}: {same}")
    print("\nNext: shopsynth prove examples/online_retail.toml. The first look at test confirms;")
    print("a second one, under whatever plan, is marked exploratory.")


if __name__ == "__main__":
    main()
