"""What every command stands on: one project folder, its recipe, store and engine, and where its weights lie."""

import json
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from poetune.backends.table import engine_name, open_engine
from poetune.errors import EngineError, RecipeError, StoreError
from poetune.ports import Generator, Trainer, Weights
from poetune.recipe import Recipe, load
from poetune.records import Model, Poem, Round
from poetune.store import Store
from poetune.store.atomic import write_text
from poetune.store.queries import ancestors, current_round
from poetune.studio import starter
from poetune.studio.listening import Listener, Quiet


class Ground:
    """An opened project. Use as a context manager."""

    def __init__(self, folder: Path, overrides: Iterable[str] = (), listener: Listener | None = None) -> None:
        self.folder = folder.resolve()
        if not (self.folder / "poet.yaml").exists():
            raise StoreError(f"{folder} is no poetune project (no poet.yaml in it); run `poetune init {folder}` first.")
        self.recipe: Recipe = load(self.folder / "poet.yaml", overrides)
        self.listener: Listener = listener or Quiet()
        self.store = Store(self.folder / "poet.db", create=True)
        self._engine: Any = None

    @classmethod
    def create(cls, folder: Path, text: str, listener: Listener | None = None, overrides: Iterable[str] = ()) -> Self:
        """Write poet.yaml (`text`) and an empty database into `folder`. Raises StoreError where one is there."""
        if (folder / "poet.yaml").exists():
            raise StoreError(f"{folder} already is a poetune project; choose another folder, or go on with it.")
        write_text(folder / "poet.yaml", text)
        try:
            return cls(folder, overrides, listener)
        except RecipeError:  # a wrong override leaves no half-made project
            (folder / "poet.yaml").unlink()
            raise

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def round(self) -> Round:
        """The open round."""
        return current_round(self.store)

    def say(self, text: str) -> None:
        """A sentence for whoever listens."""
        self.listener.say(text)

    def language(self) -> str:
        """The recipe's language, or that of most poems."""
        if self.recipe.language != "auto":
            return self.recipe.language
        tongues = [p.language for p in self.store.all(Poem) if p.language]
        return max(("en", "zh"), key=tongues.count) if tongues else "en"

    # engines ---------------------------------------------------------------------------------------------------------

    def engine(self) -> Any:
        """The engine of the recipe, opened once; it is a Trainer and a Generator."""
        if self._engine is None:
            self._engine = open_engine(self.recipe.engine, batch=self.recipe.generate.batch)
            if self.recipe.engine == "auto":
                name, device = self._engine.capabilities.name, getattr(self._engine, "device", "")
                self.say(f"engine: {name}{f' on {device}' if device else ''} (chosen by `engine: auto`).")
        return self._engine

    def engine_name(self) -> str:
        """The name of the recipe's engine, which need not be opened for that."""
        return str(self._engine.capabilities.name) if self._engine is not None else engine_name(self.recipe.engine)

    def trainer(self) -> Trainer:
        """The engine as a trainer."""
        engine: Trainer = self.engine()
        return engine

    def generator(self) -> Generator:
        """The engine as a generator."""
        engine: Generator = self.engine()
        return engine

    def base_model(self) -> Model:
        """The record of the recipe's base."""
        return Model("base", self.engine_name(), self.recipe.base, name="base", round=0)

    def base_of(self, model: Model) -> Model:
        """The record of the base that a model began from, whatever the recipe names by now and however many stages."""
        above = ancestors(self.store, model)
        return above[0] if above else Model("base", model.engine, model.base, name="base", round=0)

    def weights(self, model: Model) -> Weights:
        """Where a model's weights lie on this machine. Raises EngineError where a checkpoint is gone."""
        if model.kind == "endpoint":
            return Weights(model.base, model.name)
        base = model.base
        if base == "starter" and model.engine != "echo":
            base = str(starter.base_folder())
        elif (self.folder / base).is_dir():
            base = str(self.folder / base)
        elif base.startswith("runs/") and base.endswith("/merged"):
            raise EngineError(
                f"the merged weights {self.folder / base} are gone; put them back, or run `poetune finetune`, which "
                "makes them again."
            )
        adapter = str(self.folder / model.adapter) if model.adapter else ""
        if adapter and not Path(adapter).exists():
            raise EngineError(
                f"the checkpoint {adapter} is gone; put it back, or run `poetune finetune`, which forgets it and "
                "trains again where none is left."
            )
        return Weights(base, adapter)

    def relative(self, path: Path) -> str:
        """A path as it is kept in the database: relative where it lies in the project."""
        resolved = path.resolve()
        return resolved.relative_to(self.folder).as_posix() if resolved.is_relative_to(self.folder) else str(resolved)

    def resolved(self, *sections: str) -> dict[str, Any]:
        """The named parts of the recipe as plain data, to be kept with a run."""
        whole = json.loads(self.recipe.model_dump_json())
        return {name: whole[name] for name in sections}
