"""Data sets of the Hugging Face hub, by id or as a local folder, through the `datasets` library."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from poetune.corpus.intake import Row
from poetune.errors import CorpusError

SAVED = ("dataset_info.json", "dataset_dict.json", "state.json")


def saved(folder: Path) -> bool:
    """Whether `datasets` wrote this folder with save_to_disk."""
    return (folder / "dataset_dict.json").is_file() or all((folder / n).is_file() for n in (SAVED[0], SAVED[2]))


def rows(name: str, root: Path) -> Iterator[Row]:
    """All rows of all splits of `hub:ID` or `hub:FOLDER` (absolute or relative to `root`).

    Raises CorpusError where the library is missing or the data set cannot be loaded.
    """
    identifier = name.removeprefix("hub:").strip()
    try:
        import datasets
    except ImportError:
        raise CorpusError(f"{name} needs the `datasets` library; run: pip install 'poetune[torch]'.") from None
    log = logging.getLogger("huggingface_hub")
    level = log.level
    log.setLevel(logging.ERROR)  # the error below says in one sentence what every retry would
    bars = datasets.utils.logging.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        splits = _splits(datasets, identifier, root)
        number = 0
        for split in splits:
            for record in split:
                number += 1
                yield Row(name, number, {str(key): value for key, value in record.items()})
    except CorpusError:
        raise
    except Exception as error:  # the library raises dozens of kinds; all of them mean: not loaded
        reason = str(error).strip().split("\n")[0][:300] or type(error).__name__
        raise CorpusError(
            f"{name} cannot be loaded ({reason}); check the id and the connection, or give files."
        ) from None
    finally:
        log.setLevel(level)
        if bars:
            datasets.enable_progress_bars()


def _splits(datasets: Any, identifier: str, root: Path) -> list[Any]:
    folder = root / Path(identifier).expanduser()
    if folder.is_dir():
        # Streaming reads a local folder in place and leaves no copy in the library's cache.
        found = (
            datasets.load_from_disk(str(folder))
            if saved(folder)
            else datasets.load_dataset(str(folder), streaming=True)
        )
    elif identifier.startswith(("/", ".", "~")) or not identifier:
        raise CorpusError(
            f"hub:{identifier} is not a folder; give a hub id such as hub:merve/poetry or an existing folder."
        )
    else:
        found = datasets.load_dataset(identifier)
    return list(found.values()) if isinstance(found, dict) else [found]
