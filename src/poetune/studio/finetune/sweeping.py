"""A sweep: one run for each setting of the last stage, from the same start, and one table of what came of them."""

import csv
import io
import math
from dataclasses import asdict, dataclass, fields
from typing import Any

import yaml

from poetune.errors import RecipeError
from poetune.finetune import Setting, sweep_settings
from poetune.ports import ScoreRequest
from poetune.records import Model, digest
from poetune.store.atomic import write_text
from poetune.store.queries import best_of, checkpoints, set_role
from poetune.studio.finetune import resident
from poetune.studio.finetune.chain import chain, forget_lost, hand_on, train
from poetune.studio.finetune.fitting import Staged, fit
from poetune.studio.finetune.planning import Planned, plan
from poetune.studio.house import Studio


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting's figures. Losses are nats per supervised token, of the best checkpoint; `perplexity` is that of the
    test poems, or of the validation poems where there are no test poems.

    `peak_memory` is the largest resident size of the process, in bytes, while the setting trained; outside Linux up to
    its end, so that it never falls from one setting to the next; 0 where the system does not say it.
    """

    setting: str
    run: str
    already: bool
    trained: int
    train_loss: float | None
    validation_loss: float | None
    test_loss: float | None
    perplexity: float | None
    best_step: int
    seconds: float
    peak_memory: int


@dataclass(frozen=True, slots=True)
class Swept:
    """A sweep's table, in the order of its settings, where it lies as CSV, and how to go on with the best."""

    trials: list[Trial]
    best: str
    csv: str
    go_on: str


def sweep(studio: Studio) -> Swept:
    """Train what is not trained yet, and measure it.

    Raises RecipeError where the recipe holds no sweep, or a setting that the engine cannot train.
    """
    stages = chain(studio)
    settings = sweep_settings(studio.recipe.finetune.sweep, stages[-1])
    for setting in settings:
        if setting.stage.method not in studio.engine().capabilities.trains:
            raise RecipeError(f"finetune.sweep: the engine {studio.engine().capabilities.name} has no {setting.label}.")
    start = studio.base_model()
    if len(stages) > 1:
        train(studio, stages[-2].name)
        start = last_start(studio)
    forget_lost(studio)
    fitted = []
    for number, setting in enumerate(settings, 1):
        studio.say(f"setting {number} of {len(settings)}: {setting.label}")
        planned = plan(studio, setting.stage, start)
        fitted.append((setting, planned, _fitted(studio, setting, planned, start, tell=number == 1)))
    trials = [_trial(studio, *each) for each in fitted]  # measuring takes the whole base, which no training waits for
    best = min(trials, key=lambda t: (math.inf if t.validation_loss is None else t.validation_loss, _worth(t)))
    chosen = settings[trials.index(best)]
    path = studio.folder / "runs" / f"sweep-{digest([t.run for t in trials])}.csv"
    table = _csv(trials)
    if not path.exists() or path.read_text(encoding="utf-8") != table:
        write_text(path, table)
    return Swept(trials, best.setting, str(path), _go_on(studio, chosen))


def last_start(studio: Studio) -> Model:
    """What the last stage starts from: the merged model of the stage before."""
    parent = studio.base_model()
    for stage in chain(studio)[:-1]:
        parent = hand_on(studio, plan(studio, stage, parent).run)
    return parent


def _worth(trial: Trial) -> float:
    return math.inf if trial.train_loss is None else trial.train_loss


def _fitted(studio: Studio, setting: Setting, planned: Planned, start: Model, *, tell: bool) -> Staged:
    store, run = studio.store, planned.run
    if not store.fact(f"run:{run.id}:role") and not checkpoints(store, run.id):
        set_role(store, run.id, "sweep")  # a run that was trained for itself stays one
    resident.count_anew()
    done = fit(studio, planned, start, setting.label, tell)
    if not done.already:
        store.remember(f"run:{run.id}:peak", str(resident.peak()))
    return done


def _trial(studio: Studio, setting: Setting, planned: Planned, done: Staged) -> Trial:
    test = _test_loss(studio, planned)
    judged = test if test is not None else done.best_loss
    return Trial(
        setting=setting.label,
        run=planned.run.id,
        already=done.already,
        trained=done.trained,
        train_loss=done.train_loss,
        validation_loss=done.best_loss,
        test_loss=test,
        perplexity=math.exp(min(judged, 700.0)) if judged is not None else None,
        best_step=done.best_step,
        seconds=done.seconds,
        peak_memory=int(studio.store.fact(f"run:{planned.run.id}:peak") or 0),
    )


def _test_loss(studio: Studio, planned: Planned) -> float | None:
    """Of the best checkpoint over the test examples; measured once."""
    best = best_of(checkpoints(studio.store, planned.run.id))
    rows = [row for row in planned.job.examples if row.split == "test"]
    if best is None or not rows:
        return None
    key = f"model:{best.id}:test:{planned.run.dataset}"
    if not studio.store.fact(key):
        weights = studio.weights(best)
        scores = studio.generator().score([ScoreRequest(weights, r.completion, r.conversation, r.plain) for r in rows])
        tokens = sum(score.tokens for score in scores)
        if not tokens:
            return None
        studio.store.remember(key, repr(-sum(score.log_likelihood for score in scores) / tokens))
    return float(studio.store.fact(key))


def _csv(trials: list[Trial]) -> str:
    out = io.StringIO()
    names = [field.name for field in fields(Trial) if field.name != "already"]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for trial in trials:
        row = asdict(trial)
        writer.writerow(["" if row[name] is None else row[name] for name in names])
    return out.getvalue()


def _go_on(studio: Studio, chosen: Setting) -> str:
    """A command where one is enough: a stage's own settings go before those of `finetune`."""
    if studio.recipe.finetune.stages:
        changes = ", ".join(f"{name}: {_yaml(value)}" for name, value in chosen.changes.items())
        return f"write `{changes}` into the stage {chosen.stage.name} of poet.yaml, then `poetune finetune`"
    given = " ".join(f"--set '{_set(name, value)}'" for name, value in chosen.changes.items())
    return f"poetune finetune {given}".rstrip()


def _set(name: str, value: Any) -> str:
    return f"finetune.{name}={_yaml(value)}"


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("\n...\n").strip()
