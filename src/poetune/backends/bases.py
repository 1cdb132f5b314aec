"""A base on disk: its folder found, its fingerprint taken, its tokenizer opened; no weights are loaded here."""

import hashlib
import json
import shutil
import warnings
from importlib.resources import files
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerFast
from transformers.utils import logging as hf_logging

from poetune.backends.rendering import Renderer
from poetune.errors import EngineError

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
)
_SAMPLES, _SLICE = 64, 4096


def quiet() -> None:
    """Progress bars and advice of the libraries off: what is worth saying, poetune says itself."""
    hf_logging.set_verbosity_error()
    hf_logging.disable_progress_bar()


def resolve(base: str, weights: bool = True) -> Path:
    """The folder of a base: `starter`, a path, or a hub id (downloaded; without `weights` only its small files).

    Raises:
        EngineError: there is no such folder or hub model, or it holds no safetensors.
    """
    if base == "starter":
        folder = Path(str(files("poetune"))) / "starter" / "base"
        if not (folder / "config.json").is_file():
            raise EngineError("base: the bundled starter model is not in this installation; name a folder or a hub id")
    else:
        folder = Path(base).expanduser()
    if not folder.is_dir():
        if base.count("/") != 1 or base.startswith((".", "/", "~")):
            raise EngineError(f"base: {base} is no folder on this machine; name a model folder or a hub id OWNER/NAME")
        folder = _download(base, weights)
    if not (folder / "config.json").is_file():
        raise EngineError(f"base: {folder} has no config.json; name the folder that holds the model's files")
    if weights and not any(folder.glob("*.safetensors")):
        raise EngineError(f"base: {folder} has no .safetensors file; convert its weights to safetensors first")
    return folder.resolve()


def _download(base: str, weights: bool) -> Path:
    from huggingface_hub import snapshot_download

    wanted = [*TOKENIZER_FILES, "config.json", "generation_config.json", "*.safetensors.index.json"]
    try:
        return Path(snapshot_download(base, allow_patterns=[*wanted, "*.safetensors"] if weights else wanted))
    except Exception as error:  # the hub client's errors are many and its own
        raise EngineError(_unfetched(base, error)) from error


def _unfetched(base: str, error: Exception) -> str:
    """Why a hub model did not come, and what to do."""
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

    reason = str(error).strip().split("\n")[0]
    if isinstance(error, GatedRepoError):
        return (
            f"base: {base} is gated; accept its terms at https://huggingface.co/{base}, then log in with "
            "`hf auth login` or set HF_TOKEN"
        )
    if isinstance(error, RepositoryNotFoundError):
        return f"base: the hub has no model {base}, or a private one; check the id, or log in with `hf auth login`"
    away = type(error).__module__.startswith("httpx")
    if away or isinstance(error, LocalEntryNotFoundError | ConnectionError | TimeoutError):
        return (
            f"base: the hub cannot be reached, and {base} is not in this machine's cache ({reason}); name a local "
            f"folder, or run `hf download {base}` where there is a connection and copy its folder or the hub's cache "
            "here (with HF_HUB_OFFLINE=1 the cache alone is asked)"
        )
    return f"base: {base} could not be fetched from the hub ({reason}); name a local folder"


def context(folder: Path) -> int | None:
    """The most positions that a base was made for, by its config; None where that doesn't say."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    inner = config.get("text_config") or config
    found = next((inner[name] for name in ("max_position_embeddings", "n_positions") if inner.get(name)), None)
    return int(found) if found else None


def longest_row(folder: Path, asked: int) -> int:
    """The tokens that a training row may have: what is asked, or the base's context where that is less."""
    return min(asked, context(folder) or asked)


def fingerprint(folder: Path) -> str:
    """Hash of config, tokenizer, and of each safetensors file its size, header and 64 evenly spaced slices."""
    sha = hashlib.sha256()
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config.pop("transformers_version", None)
    sha.update(json.dumps(config, sort_keys=True).encode())
    for name in ("tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt"):
        if (folder / name).is_file():
            sha.update((folder / name).read_bytes())
    for path in sorted(folder.glob("*.safetensors")):
        size = path.stat().st_size
        with path.open("rb") as file:
            header = file.read(8)
            sha.update(str(size).encode() + header + file.read(min(int.from_bytes(header, "little"), size)))
            for i in range(_SAMPLES):
                file.seek(max(0, (size - _SLICE) * i // (_SAMPLES - 1)))
                sha.update(file.read(_SLICE))
    return sha.hexdigest()[:16]


def open_renderer(folder: Path) -> Renderer:
    """The tokenizer of a base, behind the one way to render.

    Raises:
        EngineError: the folder has no tokenizer that can be read without running its own code.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tokenizer = _tokenizer_kind(folder).from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        eos = [tokenizer.eos_token_id, *_stop_ids(folder)]
    except (OSError, ValueError, KeyError, ImportError) as error:
        reason = str(error).strip().split("\n")[0]
        raise EngineError(f"base: the tokenizer in {folder} cannot be read ({reason}); complete the folder") from error
    stops = [i for i in eos if i is not None]
    if not stops:
        raise EngineError(f"base: the tokenizer in {folder} names no end-of-text token; set eos_token in its config")
    return Renderer(tokenizer, stops)


def _tokenizer_kind(folder: Path) -> Any:
    """The class to read it with: AutoTokenizer puts the architecture's own splitting rules before a plain file's."""
    path = folder / "tokenizer_config.json"
    named = json.loads(path.read_text("utf-8")).get("tokenizer_class") if path.is_file() else None
    plain = named in ("PreTrainedTokenizerFast", "TokenizersBackend") and (folder / "tokenizer.json").is_file()
    return PreTrainedTokenizerFast if plain else AutoTokenizer


def _stop_ids(folder: Path) -> list[int]:
    out: list[int] = []
    for name in ("generation_config.json", "config.json"):
        if (folder / name).is_file():
            value = json.loads((folder / name).read_text("utf-8")).get("eos_token_id")
            out += value if isinstance(value, list) else [value]
    return [i for i in out if i is not None]


def copy_tokenizer(base: Path, folder: Path) -> None:
    """The tokenizer of the base with its chat template, as it is."""
    for name in TOKENIZER_FILES:
        if (base / name).is_file():
            shutil.copyfile(base / name, folder / name)
