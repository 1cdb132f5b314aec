"""Checkpoints that other tools left become models of the open round."""

from pathlib import Path
from typing import Any

from poetune.finetune import foreign_checkpoints
from poetune.records import Model
from poetune.studio.house import Studio


def register(studio: Studio, folder: Path) -> list[dict[str, Any]]:
    """Register a folder of foreign checkpoints as models of the open round. Raises EngineError where there are none."""
    found = foreign_checkpoints(folder)
    base = studio.base_model()
    engine = studio.engine().capabilities.name
    models = [
        Model(
            "checkpoint",
            engine,
            base.base,
            studio.relative(path),
            name=f"foreign step {step}",
            parent=base.id,
            step=step,
            round=studio.round.number,
        )
        for step, path in found
    ]
    studio.store.add([base, *models])
    return [{"step": m.step, "id": m.id, "path": m.adapter} for m in models]
