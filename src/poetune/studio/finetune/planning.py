"""What one stage will train: its run, its job, and what is worth saying about them."""

from dataclasses import dataclass

from poetune.finetune import plan_job
from poetune.generate.grid import cell_seed
from poetune.ports import Request, TrainJob, Weights
from poetune.recipe import Stage
from poetune.records import Model, Prompt, Run
from poetune.studio import dataset as dataset_stage
from poetune.studio import prompting
from poetune.studio.generate import themes
from poetune.studio.house import Studio

SAMPLES = 3  # themes of the grid that are written on while training, where the recipe names none


@dataclass(frozen=True, slots=True)
class Planned:
    """A stage with the run and the job that follow from it. `asked` are the prompts of its sample poems, by id."""

    stage: Stage
    run: Run
    job: TrainJob
    notes: tuple[str, ...]
    asked: dict[str, Prompt]


def plan(studio: Studio, stage: Stage, parent: Model) -> Planned:
    """The run that the recipe, the stage's data and the model that it starts from ask for."""
    built = dataset_stage.current(studio, stage)
    rows = dataset_stage.examples(studio, built)
    planned = plan_job(stage, rows)
    settings = stage.model_dump(mode="json") | planned.settings.model_dump(mode="json")
    recipe = {**studio.resolved("base", "dataset"), "finetune": settings}
    engine, seed = studio.engine().capabilities.name, studio.recipe.seed
    run = Run(stage.name, engine, seed, recipe, built.id, parent.id, studio.round.number)
    weights = studio.weights(parent)
    asked = _prompts(studio, stage)
    job = TrainJob(
        weights,
        rows,
        planned.settings,
        seed,
        studio.folder / "runs" / run.id,
        studio.folder / "cache",
        [_request(studio, prompt, weights) for prompt in asked],
    )
    return Planned(stage, run, job, planned.notes, {prompt.id: prompt for prompt in asked})


def _prompts(studio: Studio, stage: Stage) -> list[Prompt]:
    """The same words in every stage that names no others: plain verse goes on from them, other stages are asked."""
    if not stage.sample_every:
        return []
    name = "verse.v1" if stage.kind == "dapt" else (stage.templates or studio.recipe.dataset.templates)[0]
    words = list(dict.fromkeys(stage.sample_prompts)) or (themes(studio) or studio.recipe.generate.openings)[:SAMPLES]
    if prompting.template(studio, name).verse:
        return [Prompt("", name, opening=opening) for opening in words]
    return [Prompt(theme, name, prompting.systems(studio)[0]) for theme in words]


def _request(studio: Studio, prompt: Prompt, weights: Weights) -> Request:
    sampling = studio.recipe.generate.sampling()
    seed = cell_seed(studio.recipe.seed, prompt, sampling, 0)
    return Request(prompt.id, weights, prompting.conversation(studio, prompt), sampling, seed)
