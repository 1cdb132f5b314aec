"""Architectures as mlx-lm has them, with what it misses in files that transformers writes today."""

import json
from pathlib import Path
from typing import Any

from mlx_lm.utils import _get_classes


def classes(config: dict[str, Any]) -> tuple[Any, Any]:
    """mlx-lm's model and arguments of a config. Raises ValueError for an architecture that it does not know."""
    model, arguments = _get_classes(config)
    return (_prefixed(model) if config["model_type"] == "gpt2" else model), arguments


def rope(folder: Path) -> dict[str, Any]:
    """What transformers 5 writes as `rope_parameters`, in the two keys that mlx-lm reads: it would take defaults."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    found = config.get("rope_parameters")
    if not isinstance(found, dict) or "rope_theta" not in found or "rope_theta" in config:
        return {}
    scaled = found.get("rope_type", "default") != "default"
    return {"rope_theta": found["rope_theta"]} | ({"rope_scaling": found} if scaled else {})


def _prefixed(model: Any) -> Any:
    class Gpt2(model):  # type: ignore[misc]
        """GPT-2 whose tensors may begin with `transformer.`, as all but the first published files do."""

        def sanitize(self, weights: dict[str, Any]) -> Any:
            """Tensors by mlx-lm's names."""
            own = {name.removeprefix("transformer."): each for name, each in weights.items()}
            own.pop("lm_head.weight", None)
            return super().sanitize(own)

    return Gpt2
