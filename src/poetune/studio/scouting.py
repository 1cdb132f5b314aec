"""The grid is scouted: a tenth is written, looked at and weighed, and what deserves the rest is kept as a proposal."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from poetune.errors import EngineError
from poetune.generate.grid import cells, missing
from poetune.generate.scout import OPENING, Row, Seen, by_kind, chosen, ranked
from poetune.generate.tally import Tally
from poetune.generate.themes import Theme, collect
from poetune.judge.offline import DESCRIPTION, OfflineCritic
from poetune.records import Candidate, Model, Prompt
from poetune.studio import judge, prompting
from poetune.studio.gating import Gates
from poetune.studio.generate import fit, gate_tally, models, write_cells
from poetune.studio.house import Studio


@dataclass(frozen=True, slots=True)
class Scouted:
    """What scouting gave. `kinds` holds (mean, poems) by template and kind of theme; `rest` counts the cells that the
    proposal would still write, `whole` those that the whole grid would."""

    written: int
    existing: int
    themes: list[str]
    ranked_by: str
    models: list[Row]
    templates: list[Row]
    kinds: dict[str, dict[str, tuple[float, int]]]
    rest: int
    whole: int
    gates: tuple[Tally, ...]


def scout(studio: Studio, stages: Sequence[str] = ()) -> Scouted:
    """Write a tenth of the grid (what is missing of it), rank checkpoints and templates, keep the proposal."""
    settings, seed = studio.recipe.generate, studio.recipe.seed
    asked = subjects(studio)
    picked = {theme.text: theme for theme in chosen(asked, settings.per_cell, seed)}
    writers = models(studio, stages)
    everything = prompting.prompts(studio, [t.text for t in asked if t.group != OPENING], settings.templates)
    prompts = [prompt for prompt in everything if (prompt.theme or prompt.opening) in picked]
    way = settings.samplings()[0]
    grid = list(cells(writers, prompts, way, 1, seed))
    todo = missing(grid, studio.store.ids(Candidate))
    studio.store.adopt((cell.id for cell in grid), studio.round.number)
    gates = Gates(studio)
    if todo:
        fit(studio, prompts, [model for model in writers if model.kind != "endpoint"][:1])
        studio.say(
            f"scouting: {len(picked)} of {len(asked)} themes by {len(writers)} models in {len(settings.templates)} "
            f"templates, {len(todo)} poems to write."
        )
        write_cells(studio, todo, "scouting", gates=gates)
    seen = _weighed(studio, [cell.id for cell in grid], {model.id: model for model in writers}, prompts, picked)
    by_model = ranked(seen, lambda one: one.model, seed)
    by_template = ranked(seen, lambda one: one.template, seed)
    kept = {row.name for row in by_model if row.kept}, {row.name for row in by_template if row.kept}
    ids = [model.id for model in writers if label(model) in kept[0]]
    proposal = {"models": ids, "templates": sorted(kept[1])}
    studio.store.remember(_key(studio), json.dumps(proposal))
    each = len(settings.samplings()) * settings.per_cell
    inside = sum(prompt.template in kept[1] for prompt in everything)
    done = sum(one.template in kept[1] and one.model in kept[0] for one in seen)
    return Scouted(
        written=len(todo),
        existing=len(grid) - len(todo),
        themes=list(picked),
        ranked_by=DESCRIPTION,
        models=by_model,
        templates=by_template,
        kinds=by_kind(seen),
        rest=len(ids) * inside * each - done,
        whole=len(writers) * len(everything) * each,
        gates=gate_tally(studio),
    )


def subjects(studio: Studio) -> list[Theme]:
    """The recipe's themes with their groups, then its first lines as a group of their own."""
    given = studio.recipe.generate
    themes = [] if given.openings and not given.themes else collect(given.themes, studio.folder, studio.language())
    return [*themes, *(Theme(opening, OPENING) for opening in given.openings)]


def proposed(studio: Studio) -> tuple[list[str], list[str]]:
    """Model ids and templates that the latest scouting of this round proposed. Raises EngineError where none was."""
    text = studio.store.fact(_key(studio))
    if not text:
        raise EngineError("nothing was scouted in this round; run `poetune generate scout` first.")
    found = json.loads(text)
    return found["models"], found["templates"]


def label(model: Model) -> str:
    """A model as it is named in tables."""
    return model.name or model.base


def _key(studio: Studio) -> str:
    return f"scout:{studio.round.number}"


def _weighed(
    studio: Studio,
    ids: Sequence[str],
    writers: dict[str, Model],
    prompts: Sequence[Prompt],
    themes: dict[str, Theme],
) -> list[Seen]:
    """A twin is no fault here: neighbouring checkpoints draw with the same seeds, and one of them comes second."""
    found = [poem for key in ids if (poem := studio.store.one(Candidate, key))]
    passed = [poem for poem in found if poem.gate in ("", "twin") and poem.text.strip()]
    critic = OfflineCritic(judge.features(studio, passed))
    worth = {poem.id: critic.worth(poem.id) for poem in passed}
    by_id = {prompt.id: prompt for prompt in prompts}
    seen = []
    for poem in found:
        prompt = by_id[poem.prompt]
        theme = themes[prompt.theme or prompt.opening]
        seen.append(Seen(label(writers[poem.model]), prompt.template, theme.text, theme.group, worth.get(poem.id)))
    return seen
