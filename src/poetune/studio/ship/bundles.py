"""A model leaves the house: the adapter, base and adapter merged, or that with a Modelfile; whole or not at all."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from poetune import __version__
from poetune.backends.converting import convert, format_of
from poetune.backends.crossing import Format
from poetune.errors import EngineError
from poetune.ports import Weights
from poetune.records import Bundle, Model
from poetune.ship.bundle import SUMS, bundle
from poetune.ship.card import card
from poetune.ship.datacard import NAME as DATA
from poetune.ship.datacard import datacard
from poetune.store.atomic import new_folder
from poetune.store.queries import came_from
from poetune.studio.house import Studio
from poetune.studio.score import best_or_fail
from poetune.studio.ship.cards import card_of, data_of
from poetune.studio.ship.checking import check, is_short, readers
from poetune.studio.ship.ollama import write_modelfile
from poetune.studio.ship.pushing import push, ready


@dataclass(frozen=True, slots=True)
class Shipped:
    """What left, where it lies, which engines read it again and gave the same, and where it was uploaded to."""

    kind: str
    path: str
    model: str
    files: dict[str, str]
    read_by: list[str]
    pushed: str = ""


def ship(
    studio: Studio,
    kind: str,
    to: Path | None = None,
    wanted: Format | None = None,
    repo: str = "",
    public: bool = False,
) -> Shipped:
    """Write the bundle, an adapter in the format `wanted`, else in its own, and load it again to compare.

    With `repo` (OWNER/NAME) it is then uploaded, private unless `public`.
    Raises EngineError for an unknown model, an engine whose models cannot be used elsewhere, and a bundle that is not
    the model.
    """
    model = chosen(studio)
    if wanted and kind != "adapter":
        raise EngineError(f"only an adapter is converted to {wanted}; run `poetune ship adapter --to {wanted}`.")
    if model.engine == "echo":
        raise EngineError("models of the echo engine are toys and work nowhere else; train with `--set engine=torch`.")
    if repo:
        ready(repo)
    which: Literal["adapter", "merged"] = "adapter" if kind == "adapter" else "merged"
    if which == "adapter" and came_from(studio.store, model) is not None and model.base.endswith("/merged"):
        raise EngineError(
            f"{model.name} is an adapter for the merged weights of an earlier stage ({model.base}), which nobody else "
            "has; ship the whole: poetune ship merged."
        )
    ending = f"-{wanted}" if wanted else ""
    out = (to or studio.folder / "shipped" / f"{kind}-{model.id}{ending}").resolve()
    check_place(out)
    studio.say(f"shipping the {kind} of {model.name} ({model.id}).")
    weights = studio.weights(model)
    source = Path(weights.adapter)
    form = wanted or _format(source)
    about = card_of(studio, model, kind, form)
    text, data = card(about), datacard(data_of(studio, model))
    base = studio.base_of(model).base
    lineage = {"model": model.id, "run": model.run, "step": model.step, "base": base, "poetune": __version__}
    with new_folder(out) as folder:
        if which == "merged":
            studio.trainer().merge(weights, folder)
            if kind == "ollama":
                write_modelfile(studio, model, folder)
            files = bundle(which, folder, text, folder, base, lineage, {DATA: data})
            read = check(studio, weights, Weights(str(folder)), readers(studio, "merged"), is_short(folder))
        else:
            files = _adapter(model, source, form, text, folder, lineage, data)
            after = Weights(weights.base, str(folder))
            read = check(studio, weights, after, readers(studio, form), is_short(Path(weights.base)))
    studio.store.add([Bundle(kind, studio.relative(out), model.id, files)])
    studio.say(f"loaded again and compared on the same poems: {', '.join(read)}.")
    pushed = push(out, repo, public) if repo else ""
    return Shipped(kind, str(out), model.id, files, read, pushed)


def _adapter(
    model: Model, source: Path, form: Format, text: str, folder: Path, lineage: dict[str, object], data: str
) -> dict[str, str]:
    """The bundle of an adapter in the format asked for."""
    if source.is_dir() and form == _format(source):
        return bundle("adapter", source, text, folder, model.base, lineage, {DATA: data})
    with TemporaryDirectory() as made:
        _converted(source, form, Path(made))
        return bundle("adapter", Path(made), text, folder, model.base, lineage, {DATA: data})


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


def chosen(studio: Studio) -> Model:
    """The model that ships: the best checkpoint, or the one named. Raises EngineError where there is none."""
    wanted = studio.recipe.ship.model
    if not wanted:
        return best_or_fail(studio)
    found = studio.store.one(Model, wanted)
    if found is None or not found.adapter:
        known = ", ".join(f"{m.id} ({m.name})" for m in studio.store.all(Model) if m.adapter)
        raise EngineError(f"no checkpoint has the id {wanted}; there are: {known or 'none yet'}.")
    return found
