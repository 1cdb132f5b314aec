"""The stage `preference`: what readers preferred trains the round's model on, under the guards of a round."""

from collections.abc import Collection
from dataclasses import dataclass

from poetune.errors import EngineError, ReviewError
from poetune.generate.grid import cells, missing
from poetune.ports import TrainJob
from poetune.recipe import PREFERENCE, Preferring, Stage
from poetune.records import Candidate, Dataset, Example, Model, Prompt, Review, Run, Vote
from poetune.review import decisions
from poetune.review import votes as standing_votes
from poetune.review.preference import better, liked
from poetune.rounds.guards import GUARDS, Figure, copying, diversity, refused
from poetune.rounds.guards import loss as loss_figure
from poetune.rounds.preference import Choice, loss_for, rows
from poetune.store.queries import best_of, checkpoints, set_role
from poetune.studio import prompting
from poetune.studio.finetune.chain import hand_on, train
from poetune.studio.finetune.fitting import Staged, fit
from poetune.studio.finetune.planning import Planned
from poetune.studio.generate import themes, write_cells
from poetune.studio.house import Studio
from poetune.studio.rounds.measuring import held_out, held_out_loss, learned_from, pieces

PER_PROMPT = 2  # poems a prompt that the guards compare


@dataclass(frozen=True, slots=True)
class Preferred:
    """What the stage gave: on how many decisions, by which loss, its run, and its figures beside the model before."""

    decisions: int
    loss: str
    trained: int
    held_out: int
    staged: Staged
    figures: list[Figure]
    overruled: list[str]


def prefer(studio: Studio, accept_guards: Collection[str] = ()) -> Preferred:
    """Train on what was preferred; the checkpoints write from then on, unless a guard refuses them.

    Raises ReviewError with too few decisions, or where a guard fails that is not among `accept_guards`; EngineError
    for an engine that has no preference training.
    """
    able = studio.engine().capabilities
    if not able.prefers:
        raise EngineError(f"the engine {able.name} has no preference training; set engine to torch for this stage.")
    count = decided(studio)
    fewest = studio.recipe.finetune.preference.fewest
    if count < fewest:
        raise ReviewError(
            f"the preference stage needs {fewest} decisions and there are {count}; decide on more poems in `poetune "
            "review`, or lower finetune.preference.fewest."
        )
    source = train(studio).run
    run = studio.store.one(Run, source)
    before = best_of(checkpoints(studio.store, source))
    if run is None or before is None:
        raise EngineError("there is no checkpoint to go on from; run `poetune finetune` first.")
    planned = _planned(studio, hand_on(studio, run))
    parent = studio.store.one(Model, planned.run.parent)
    assert parent is not None
    if not studio.store.fact(f"run:{planned.run.id}:role"):
        set_role(studio.store, planned.run.id, "earlier")  # until the guards have looked
    studio.say(f"preference inherits: seed {planned.run.seed} from the recipe; {planned.notes[0]}.")
    staged = fit(studio, planned, parent, PREFERENCE, tell=False)
    now = best_of(checkpoints(studio.store, planned.run.id))
    if now is None:
        raise EngineError("the preference stage left no checkpoint; run it again.")
    figures = _figures(studio, before, now)
    overruled = _judged(studio, planned.run, run, figures, accept_guards)
    learned = sum(row.split == "train" for row in planned.job.examples)
    assert isinstance(planned.job.settings, Preferring)
    return Preferred(
        count, planned.job.settings.loss, learned, len(planned.job.examples) - learned, staged, figures, overruled
    )


def decided(studio: Studio) -> int:
    """Accepted and rejected poems and blind votes for one side, in all rounds."""
    acts = decisions(studio.store.all(Review)).values()
    sided = [vote for vote in standing_votes(studio.store.all(Vote)) if vote.action in ("left", "right")]
    return sum(act.action in ("accept", "reject") for act in acts) + len(sided)


def _choices(studio: Studio) -> tuple[list[Choice], list[Choice]]:
    """Pairs, and poems by themselves."""
    written = {each.id: each for each in studio.store.all(Candidate)}
    acts = list(decisions(studio.store.all(Review)).values())
    pairs = [Choice(each.prompt, each.chosen, each.rejected) for each in better(acts, written)]
    for vote in standing_votes(studio.store.all(Vote)):
        left, right = written.get(vote.left), written.get(vote.right)
        if vote.action in ("left", "right") and left is not None and right is not None:
            chosen, other = (left, right) if vote.action == "left" else (right, left)
            pairs.append(Choice(chosen.prompt, chosen.text, other.text))
    alone = [Choice(each.prompt, each.text, liked=each.liked) for each in liked(acts, written)]
    return pairs, alone


def _rows(studio: Studio, choices: list[Choice]) -> list[Example]:
    known = {prompt.id: prompt for prompt in studio.store.all(Prompt)}
    wanted = {choice.prompt: known[choice.prompt] for choice in choices if choice.prompt in known}
    asked = {key: prompting.conversation(studio, prompt) for key, prompt in wanted.items()}
    subjects = {key: prompt.theme or prompt.opening for key, prompt in wanted.items()}
    return rows(choices, asked, subjects, studio.recipe.finetune.preference.held_out)


def _planned(studio: Studio, parent: Model) -> Planned:
    wanted = studio.recipe.finetune.preference
    pairs, alone = (_rows(studio, each) for each in _choices(studio))
    loss = loss_for(wanted.loss, len(pairs), wanted.fewest_pairs)
    examples = pairs if loss == "dpo" else alone
    if not examples:
        raise ReviewError(
            "no two poems of one prompt were preferred one over the other, so there is no pair for dpo; set "
            "finetune.preference.loss to kto."
        )
    settings = wanted.settings(studio.recipe.finetune, loss)
    data = Dataset(
        tuple(row.id for row in examples),
        {"kind": PREFERENCE, "loss": loss, "held_out": wanted.held_out},
        studio.round.number,
    )
    with studio.store.transaction():
        studio.store.add(examples)
        studio.store.add([data])
    recipe = {**studio.resolved("base"), "finetune": settings.model_dump(mode="json")}
    engine = studio.engine().capabilities.name
    run = Run(PREFERENCE, engine, studio.recipe.seed, recipe, data.id, parent.id, studio.round.number)
    stage = Stage(name=PREFERENCE, kind="preference")
    job = TrainJob(studio.weights(parent), examples, settings, studio.recipe.seed, studio.folder / "runs" / run.id)
    return Planned(
        stage, run, job, (f"{len(pairs)} pairs and {len(alone)} decisions, so {loss}; {_said(settings)}",), {}
    )


def _said(settings: Preferring) -> str:
    names = ("method", "rank", "beta", "epochs", "batch", "rate", "warmup")
    return ", ".join(f"{name} {getattr(settings, name):g}" if name != "method" else settings.method for name in names)


def _figures(studio: Studio, before: Model, now: Model) -> list[Figure]:
    """Both models on the same prompts and seeds, their held-out losses, and what they copy."""
    settings, of, against = studio.recipe.rounds, "what it writes", "the model before"
    poet = f"{against} and the poet's own held-out poems"
    subjects = themes(studio)[: studio.recipe.score.prompts]
    prompts = prompting.one_each(studio, subjects, studio.recipe.generate.templates[0])
    sampling, found = studio.recipe.generate.sampling(), []
    for model in (before, now):
        grid = list(cells([model], prompts, sampling, PER_PROMPT, studio.recipe.seed))
        todo = missing(grid, studio.store.ids(Candidate))
        if todo:
            write_cells(studio, todo, f"writing ({model.name})", round_number=0)
        found.append(pieces(studio, [c for cell in grid if (c := studio.store.one(Candidate, cell.id))]))
    rows = held_out(studio, [before, now])
    losses = held_out_loss(studio, before, rows), held_out_loss(studio, now, rows)
    index, human = learned_from(studio, before)
    copies = [index.copies(piece.text for piece in each) for each in found]
    return [
        *diversity(found[1], found[0], of, against, settings.least_diversity, themes=True),
        loss_figure(*losses, "the preference model", against, settings.loss_rise),
        *copying(copies[1], copies[0], human, of, poet, settings.copying_rise),
    ]


def _judged(studio: Studio, run: Run, source: Run, figures: list[Figure], accept_guards: Collection[str]) -> list[str]:
    """Let the run write, or refuse it; which guards were overruled."""
    strange = sorted(set(accept_guards) - set(GUARDS))
    if strange:
        raise ReviewError(f"no guard is called {', '.join(strange)}; there are {', '.join(GUARDS)}.")
    failing = refused(figures, accept_guards)
    if failing:
        set_role(studio.store, run.id, "earlier")
        names = list(dict.fromkeys(figure.guard for figure in failing))
        raise ReviewError(
            "the preference stage is trained but does not write, because a guard failed: "
            f"{', and '.join(figure.sentence() for figure in failing)}; lower finetune.preference.rate or raise "
            "its beta, or take it as it is by `poetune finetune --stage preference"
            f"{''.join(f' --accept-guard {name}' for name in names)}`."
        )
    overruled = sorted({figure.guard for figure in figures if figure.failed})
    with studio.store.transaction():
        set_role(studio.store, run.id, "last")
        set_role(studio.store, source.id, "earlier")
        studio.store.remember(f"run:{source.id}:preferred", run.id)
        studio.store.remember(f"run:{run.id}:overruled", " ".join(overruled))
    return list(overruled)
