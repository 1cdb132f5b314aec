"""An adapter's folder from peft's format into mlx-lm's and back; the weights stay bit for bit."""

import json
from pathlib import Path

from poetune.backends import crossing, tensorfiles
from poetune.backends.crossing import CONFIG, FILES, Format
from poetune.errors import EngineError


def format_of(source: Path) -> Format:
    """The format of an adapter's folder, or of an mlx-lm file. Raises EngineError where it is neither."""
    if crossing.is_mlx(source):
        return "mlx"
    if crossing.is_peft(source):
        return "peft"
    raise EngineError(f"{source}: holds no adapter; ship a checkpoint that was trained as one, or `merged`")


def convert(source: Path, wanted: Format, out: Path, base: str = "") -> None:
    """Write the adapter in `source` into the folder `out` in the wanted format.

    `base` is what peft's configuration names as the base. Raises EngineError for what the other format cannot hold.
    """
    form = format_of(source)
    file, config = crossing.files_of(source)
    found = tensorfiles.read(file)
    if form != wanted:
        config, moved = (
            crossing.to_mlx(source, config, found)
            if wanted == "mlx"
            else crossing.to_peft(source, config, {name: each.bits.shape for name, each in found.items()}, base)
        )
        found = {there: found[name].turned if turns else found[name] for name, (there, turns) in moved.items()}
    tensorfiles.write(found, out / FILES[wanted])
    (out / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
