"""Adapters become one by weight, and the blend a model that writes like any other."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from poetune.errors import EngineError
from poetune.finetune.mixing import Part, Way, matching, parsed
from poetune.ports import Mix, Weights
from poetune.records import Dataset, Model, Run, digest
from poetune.store.queries import best_of, checkpoints, role_of
from poetune.studio.house import Studio

FOLDER = "blends"


@dataclass(frozen=True, slots=True)
class Blended:
    """A blend: its id and name, where its adapter lies, the share of each part, and whether it was there already."""

    model: str
    name: str
    adapter: str
    mix: dict[str, float]
    already: bool


@dataclass(frozen=True, slots=True)
class Source:
    """An adapter that a mix names: the project it lies in, its record there, and its weights."""

    part: Part
    studio: Studio
    model: Model
    weights: Weights

    @property
    def here(self) -> str:
        """The adapter as this machine knows it, for the blend's lineage."""
        return f"{self.model.id} of {self.studio.folder.name}"


def blend(studio: Studio, mix: str, way: Way | None = None) -> Blended:
    """Blend what `mix` names, as `dickinson=0.6,whitman=0.4`; one that was made before is found again.

    Raises RecipeError for a mix that cannot be read or names what is not there, EngineError where the adapters are of
    different bases, or of different ranks and the method needs one.
    """
    parts = parsed(mix)
    if any(part.share is None for part in parts):
        labels = [part.label for part in parts]
        raise EngineError(f"--mix needs a share for each adapter: --mix {'=0.5,'.join(labels)}=0.5; or add --sweep.")
    found = sources(studio, parts)
    model, already = made(studio, found, [part.share or 0.0 for part in parts], way or Way())
    return Blended(model.id, model.name, str(studio.folder / model.adapter), dict(model.mix), already)


def sources(studio: Studio, parts: Sequence[Part]) -> list[Source]:
    """The adapters of a mix: of this project by the id or the stage's name, of another project by its folder.

    Raises EngineError where the engine cannot blend, or two have different bases.
    """
    able = studio.engine().capabilities
    if not able.blends:
        raise EngineError(f"the engine {able.name} cannot blend; run the command with `--set engine=torch`.")
    found = [_source(studio, part) for part in parts]
    for each in found[1:]:
        if each.weights.base != found[0].weights.base:
            raise EngineError(
                f"{each.part.label} is an adapter of {each.weights.base} and {found[0].part.label} one of "
                f"{found[0].weights.base}; blend adapters of one base."
            )
    return found


def made(studio: Studio, found: Sequence[Source], shares: Sequence[float], way: Way) -> tuple[Model, bool]:
    """The blend of these adapters, and whether it was there already."""
    able, seed = studio.engine().capabilities, studio.recipe.seed
    if way.method not in able.blends:
        ways = ", ".join(sorted(able.blends))
        raise EngineError(f"the engine {able.name} cannot blend by {way.method}; choose --method among {ways}.")
    inside = [each.studio is studio for each in found]
    keys = [each.model.id if own else each.here for each, own in zip(found, inside, strict=True)]
    key = digest("blend", keys, list(shares), way, seed if way.method.startswith("dare") else 0)
    folder = studio.folder / FOLDER / key
    named = " + ".join(f"{each.part.label} {share:g}" for each, share in zip(found, shares, strict=True))
    model = Model(
        "blend",
        able.name,
        found[0].model.base,
        studio.relative(folder),
        name=f"{named} ({way.method})",
        parent=keys[0] if inside[0] else studio.base_of(found[0].model).id,
        round=studio.round.number,
        mix=dict(zip(keys, shares, strict=True)),
    )
    there = studio.store.one(Model, model.id)
    if there is not None and folder.is_dir():
        return there, True
    if not folder.is_dir():
        weights = tuple(each.weights for each in found)
        studio.trainer().blend(Mix(weights, tuple(shares), way.method, way.rank, way.density, seed), folder)
    studio.store.add([studio.base_of(found[0].model), model])
    return model, False


def _source(studio: Studio, part: Part) -> Source:
    folder = Path(part.name).expanduser()
    if (folder / "poet.yaml").is_file() and folder.resolve() != studio.folder:
        other = Studio(folder, [f"engine={studio.engine().capabilities.name}"], studio.listener)
        return _of(other, part, _last(other, part))
    found = studio.store.one(Model, part.name)
    if found is not None and found.adapter:
        return _of(studio, part, found)
    runs = {run.id: run for run in studio.store.all(Run) if role_of(studio.store, run.id) != "sweep"}
    key = matching(part.name, {run.id: run.stage for run in reversed(list(runs.values()))})
    return _of(studio, part, best_checkpoint(studio, key, part.label, part.step))


def _last(other: Studio, part: Part) -> Model:
    runs = [run for run in other.store.all(Run) if role_of(other.store, run.id) == "last"]
    if not runs:
        raise EngineError(f"{other.folder} has no checkpoint yet; run `poetune finetune --project {other.folder}`.")
    return best_checkpoint(other, runs[-1].id, part.label, part.step)


def best_checkpoint(studio: Studio, run: str, label: str, step: int = 0) -> Model:
    """The best checkpoint of a run, or the one of the step asked for. Raises EngineError where there is none."""
    kept = checkpoints(studio.store, run)
    found = next((m for m in kept if m.step == step), None) if step else best_of(kept)
    if found is None:
        steps = ", ".join(str(m.step) for m in kept) or "none"
        raise EngineError(f"{label}: there is no such checkpoint (steps kept: {steps}); name a step, or train it.")
    return found


def _of(studio: Studio, part: Part, model: Model) -> Source:
    return Source(part, studio, model, studio.weights(model))


def data_of(source: Source) -> Dataset:
    """The data set that an adapter was trained on. Raises EngineError for an adapter that was not trained here."""
    run = source.studio.store.one(Run, source.model.run) if source.model.run else None
    data = source.studio.store.one(Dataset, run.dataset) if run else None
    if data is None:
        raise EngineError(
            f"{source.part.label}: its poems are not known, so no position can be measured; train it here."
        )
    return data
