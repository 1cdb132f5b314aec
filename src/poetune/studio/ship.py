"""A model leaves the house: the adapter, or base and adapter merged, with its card, made whole or not at all."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from poetune import __version__
from poetune.backends.converting import convert, format_of
from poetune.backends.crossing import Format
from poetune.errors import EngineError
from poetune.records import Bundle, Candidate, Dataset, Model, Poem, Prompt, Run
from poetune.ship.bundle import SUMS, bundle
from poetune.ship.card import Card, Copied, Loss, card
from poetune.ship.usage import Ask
from poetune.store.atomic import new_folder
from poetune.store.queries import came_from
from poetune.studio import prompting
from poetune.studio.dataset import examples
from poetune.studio.house import Studio
from poetune.studio.judge import standing
from poetune.studio.score import best_or_fail, loss_rows, measured_copies


@dataclass(frozen=True, slots=True)
class Shipped:
    """What left, and where it lies."""

    kind: str
    path: str
    model: str
    files: dict[str, str]


def ship(studio: Studio, kind: str, to: Path | None = None, wanted: Format | None = None) -> Shipped:
    """Write the bundle; an adapter in the format `wanted`, else in its own.

    Raises EngineError for an unknown model or an engine whose models cannot be used elsewhere.
    """
    model = _chosen(studio)
    if wanted and kind != "adapter":
        raise EngineError(f"only an adapter is converted to {wanted}; run `poetune ship adapter --to {wanted}`.")
    if model.engine == "echo":
        raise EngineError("models of the echo engine are toys and work nowhere else; train with `--set engine=torch`.")
    which: Literal["adapter", "merged"] = "merged" if kind == "merged" else "adapter"
    if which == "adapter" and came_from(studio.store, model) is not None and model.base.endswith("/merged"):
        raise EngineError(
            f"{model.name} is an adapter for the merged weights of an earlier stage ({model.base}), which nobody else "
            "has; ship the whole: poetune ship merged."
        )
    ending = f"-{wanted}" if wanted else ""
    out = (to or studio.folder / "shipped" / f"{which}-{model.id}{ending}").resolve()
    check_place(out)
    studio.say(f"shipping the {which} of {model.name} ({model.id}).")
    weights = studio.weights(model)
    source = Path(weights.adapter)
    text = card(_card(studio, model, which, wanted or _format(source)))
    base = studio.base_of(model).base
    lineage = {"model": model.id, "run": model.run, "step": model.step, "base": base, "poetune": __version__}
    with new_folder(out) as folder:
        if which == "merged":
            studio.trainer().merge(weights, folder)
            files = bundle(which, folder, text, folder, base, lineage)
        elif source.is_dir() and wanted in (None, _format(source)):
            files = bundle(which, source, text, folder, model.base, lineage)
        else:
            with TemporaryDirectory() as made:
                _converted(source, wanted or _format(source), Path(made))
                files = bundle(which, Path(made), text, folder, model.base, lineage)
    studio.store.add([Bundle(which, studio.relative(out), model.id, files)])
    return Shipped(which, str(out), model.id, files)


def _format(source: Path) -> Format:
    """The format of an adapter; a whole model is refused where its files are taken."""
    try:
        return format_of(source)
    except EngineError:
        return "peft"


def _converted(source: Path, wanted: Format, made: Path) -> None:
    """An adapter's folder in another format; what is not its weights goes along."""
    convert(source, wanted, made)
    for beside in source.iterdir() if source.is_dir() else ():
        if beside.is_file() and not beside.name.startswith(("adapter_", "adapters.")):
            shutil.copyfile(beside, made / beside.name)


def check_place(out: Path) -> None:
    """A bundle replaces what lies there. Raises EngineError unless that is nothing, an empty folder or a bundle."""
    free = not out.exists() or (out.is_dir() and ((out / SUMS).is_file() or not any(out.iterdir())))
    if not free:
        raise EngineError(f"{out} holds something that is no bundle; name a new folder with --to.")


def _chosen(studio: Studio) -> Model:
    wanted = studio.recipe.ship.model
    if not wanted:
        return best_or_fail(studio)
    found = studio.store.one(Model, wanted)
    if found is None or not found.adapter:
        known = ", ".join(f"{m.id} ({m.name})" for m in studio.store.all(Model) if m.adapter)
        raise EngineError(f"no checkpoint has the id {wanted}; there are: {known or 'none yet'}.")
    return found


def _card(studio: Studio, model: Model, kind: Literal["adapter", "merged"], form: Format) -> Card:
    run = studio.store.one(Run, model.run) if model.run else None
    data = studio.store.one(Dataset, run.dataset) if run else None
    rows = examples(studio, data) if data else []
    learned = {row.poem for row in rows if row.split == "train"}
    poems = [p for p in studio.store.all(Poem) if p.id in learned]
    name = studio.recipe.generate.templates[0]
    asked = prompting.one_each(studio, ["rain" if studio.language() == "en" else "雨"], name)
    prompt = asked[0] if asked else Prompt("", name)
    copies = measured_copies(studio, model, rows)
    settings = studio.recipe.ship
    return Card(
        name=studio.recipe.name,
        kind=kind,
        base=studio.base_of(model).base,
        poems=poems,
        format=form,
        author=settings.author,
        licence=settings.licence,
        model=model.id,
        dataset=data.id if data else "",
        run=run.id if run else "",
        step=model.step,
        settings=run.recipe.get("finetune", {}) if run else {},
        ask=Ask(prompt.theme, prompting.conversation(studio, prompt), studio.recipe.generate.sampling()),
        losses=[Loss(r.model, r.split, r.loss, r.perplexity, r.bits_per_byte) for r in loss_rows(studio, model)],
        copied=[Copied(r.label, r.lines, r.copied) for r in copies],
        samples=_samples(studio, model),
        version=__version__,
        year=datetime.now(UTC).year,
    )


def _samples(studio: Studio, model: Model, count: int = 3) -> list[Poem]:
    found = [c for key in standing(studio) if (c := studio.store.one(Candidate, key)) and c.model == model.id]
    return [Poem(c.text, c.title) for c in found[:count]]
