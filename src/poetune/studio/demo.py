"""Everything at once on bundled poems: project, training, grid, ranking, report."""

import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from poetune.dataset.templates import TEMPLATE_ORDER
from poetune.errors import StoreError
from poetune.records import Poem
from poetune.studio import finetune, generate, judge, score, starter
from poetune.studio.house import Studio
from poetune.studio.init import open_first_round, recipe_text
from poetune.studio.listening import Listener

STEPS, EVERY, THEMES = 60, 20, 20
RATE = "3e-4"
TEMPERATURE = {"en": 0.8, "zh": 0.9}  # cooler, Chinese poems come in five characters nearly always
MARK = ".poetune-demo"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a demo leaves behind."""

    project: str
    best: list[judge.Placed]
    summary: str
    report: str
    next: list[str]
    seconds: float


def run(
    folder: Path,
    language: str,
    engine: str,
    steps: int | None,
    fresh: bool,
    listener: Listener | None = None,
    overrides: Iterable[str] = (),
) -> Shown:
    """Run the demo in `folder`, or go on with one that was stopped there. Raises StoreError for a foreign folder."""
    started, overrides = time.monotonic(), list(overrides)
    engine = _asked(overrides) or engine
    mine = (folder / MARK).exists()
    if folder.exists() and any(folder.iterdir()) and not mine:
        raise StoreError(f"{folder} holds something that is no demo; name another folder with --project.")
    if fresh and mine:
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()
    if not (folder / "poet.yaml").exists():
        text = recipe_text(
            starter.AUTHORS[language],
            language,
            "starter",
            engine,
            method="lora" if engine == "echo" else "full",  # the base is small enough to train whole
            steps=steps or STEPS,
            rate=RATE,
            every=EVERY,
            templates=", ".join(TEMPLATE_ORDER),
            temperature=TEMPERATURE[language],
        )
        Studio.create(folder, text, listener).close()
    given = [f"engine={engine}"] * (engine != "auto") + [f"finetune.steps={steps}"] * (steps is not None)
    with Studio(folder, [*given, *overrides], listener) as studio:
        if studio.recipe.language != language:
            raise StoreError(f"{folder} is a demo in another language; name another folder with --project.")
        open_first_round(studio)
        poems = list(starter.poems(language))
        studio.store.add(poems)
        studio.say(f"{studio.store.count(Poem)} bundled poems in {folder}.")
        tuned = finetune.train(studio)
        filled = generate.fill(studio, max_themes=THEMES)
        judged = judge.rank(studio)
        told = score.report(studio)
        losses = ""
        if tuned.first_loss is not None and tuned.best_loss is not None:
            losses = f"validation loss {tuned.first_loss:.2f} -> {tuned.best_loss:.2f} nats a token; "
        seconds = time.monotonic() - started
        pace = f" ({filled.per_minute:.0f} a minute)" if filled.written else ""
        summary = (
            f"{len(poems)} poems learned in {tuned.steps} steps; {losses}"
            f"{filled.written + filled.existing} poems written{pace}, "
            f"ranked by the {judged.judge}; {seconds:.0f} s in all."
        )
        return Shown(
            str(studio.folder),
            judge.best(studio, 5),
            summary,
            told.html,
            ["poetune review", "poetune rounds close", "poetune finetune", 'poetune write "rain"'],
            seconds,
        )


def _asked(overrides: Iterable[str]) -> str:
    """The engine that `--set` names, or ""."""
    pairs = [each.partition("=") for each in overrides]
    return next((value.strip() for key, _, value in reversed(pairs) if key.strip() == "engine"), "")
