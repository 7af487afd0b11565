"""cold_users: histories for people of whom only attributes are known.

In: a recipe, a workspace and a file of users. Out: a history for each of them, as people like them
have, laid beside the workspace's other synthetic rows or in a file.
"""

from pathlib import Path

from shopsynth.generate import SYNTHESIZERS, Conditions, make_synthesizer, sample_for_users
from shopsynth.generate.base import WITHOUT_GUARANTEE
from shopsynth.pipeline.cold import ColdStart
from shopsynth.pipeline.newcomers import (
    caution,
    check_request,
    protected_rows,
    provenance,
    read_newcomers,
    write_histories,
)
from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.workspace import Workspace
from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, Progress, derived_seed

_FOLDER = "cold_users"
_OPTION = "--cold-users"


def cold_users(
    recipe: Recipe,
    workspace: str | Path,
    users: str | Path,
    *,
    output: str | Path | None = None,
    progress: Progress = SILENT,
) -> ColdStart:
    """Make one history for each user of a file, by the first method of the recipe.

    The stages up to ``privacy`` run first, unless they are complete.

    Args:
        recipe: A checked recipe.
        workspace: Folder of the run; made if missing.
        users: A file of users with attributes, columns named as in ``[shop.users]`` or as
            standard. Their ids are not carried over: synthetic users come in their order.
        output: A ``.parquet`` or ``.csv`` file of the events, beside which the users go;
            ``None``: the folder ``cold_users`` of the workspace.
        progress: Listener.

    Raises:
        PrivacyError: In mode dp, where nobody can be looked up by attributes.
        InputError: If the shop has no users, attributes are none that it knows, or too few people
            share a combination of them; or the output cannot be written.
    """
    file = Path(output) if output is not None else None
    entry = recipe.generate[0]
    modes = SYNTHESIZERS.get(entry.synthesizer).modes & WITHOUT_GUARANTEE
    check_request(recipe, _OPTION, entry.synthesizer, modes, file)
    seed = derived_seed(recipe.seed, "generate", _FOLDER)
    wanted = read_newcomers(Path(users), "users", recipe, _OPTION)
    data, receipt = protected_rows(recipe, workspace, progress)
    view = PrivateView(data, **receipt)
    method = make_synthesizer(entry.synthesizer, entry.options)
    method.fit(view, seed=derived_seed(seed, "fit"), progress=progress)
    made = sample_for_users(
        method,
        view,
        Conditions(users=wanted.drop("user_id")),
        seed=derived_seed(seed, "sample"),
        progress=progress,
    )
    facts = {"users": wanted.height, **provenance(made, view)}
    path = write_histories(made, facts, Workspace(workspace), _FOLDER, file)
    line = f"{wanted.height:,} users, {facts['events']:,} events: {path}"
    return ColdStart(made, facts, path, (line, *caution(view)))
