"""A bundle: the files that a model needs to be used elsewhere, the card, and a checksum for every one of them."""

import hashlib
import json
import re
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path, PureWindowsPath
from typing import Any, Literal

from poetune.errors import StoreError
from poetune.ship.usage import base_name, hub_id

Kind = Literal["adapter", "merged"]
SUMS = "SHA256SUMS"
_OWN = frozenset({"README.md", "DATA.md", "manifest.json", SUMS})
_WEIGHTS = {
    "adapter": ("adapter_model.safetensors", "adapters.safetensors"),
    "merged": ("model.safetensors", "model.safetensors.index.json"),
}
_CONFIG = {"adapter": "adapter_config.json", "merged": "config.json"}
# Training state, pickles and logs stay at home: only what loading and tokenizing read goes out.
_TAKEN = (
    "adapter_model.safetensors",
    "adapters.safetensors",
    "model.safetensors",
    "model-*-of-*.safetensors",
    "model.safetensors.index.json",
    "adapter_config.json",
    "config.json",
    "generation_config.json",
    "tokenizer*.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
    "poetune.json",
    "Modelfile",
    "LICENSE*",
    "NOTICE*",
)
_PATH_KEYS = ("base_model_name_or_path", "_name_or_path", "name_or_path")


def bundle(
    kind: Kind,
    source: Path,
    card: str,
    out: Path,
    base: str = "",
    lineage: Mapping[str, Any] | None = None,
    beside: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Copy a model's files from `source` into the folder `out`, with `card` as README.md; SHA-256 by file name.

    `out` must be empty, or be `source` itself (a merged model written where it ships). Paths of this machine inside
    the configuration give way to `base` where that is a hub id, else to nothing. `lineage` goes into manifest.json, of
    folders the last name only; `beside` are further texts by file name.
    Raises StoreError where files are missing.
    """
    taken = _taken(kind, source)
    same = source.resolve() == out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    strangers = sorted(p.name for p in out.iterdir() if not (same and p.name in {*taken, *_OWN}))
    if strangers:
        raise StoreError(f"The folder {out} already holds {strangers[0]}; ship into an empty folder.")
    sums = {}
    for name in taken:
        if name in (_CONFIG[kind], "config.json", "tokenizer_config.json"):
            data = _without_paths(source / name, base)
            (out / name).write_bytes(data)
            sums[name] = hashlib.sha256(data).hexdigest()
        else:
            sums[name] = _copy(source / name, None if same else out / name)
    for name, text in {"README.md": card, **(beside or {})}.items():
        sums[name] = _write(out / name, text)
    files = {name: {"sha256": sums[name], "bytes": (out / name).stat().st_size} for name in sorted(sums)}
    known = {key: base_name(value) if _is_path(value) else value for key, value in (lineage or {}).items()}
    manifest = {"format": "poetune.bundle.v1", "kind": kind, "lineage": known, "files": files}
    sums["manifest.json"] = _write(out / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=2) + "\n")
    ordered = dict(sorted(sums.items()))
    _write(out / SUMS, "".join(f"{sha}  {name}\n" for name, sha in ordered.items()))
    return ordered


def verify(folder: Path) -> tuple[str, ...]:
    """What is wrong with a bundle, a sentence each: files missing, changed or added; () where it is whole.

    Raises StoreError where there is no readable SHA256SUMS.
    """
    try:
        listed = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"The folder {folder} has no readable {SUMS}; it is not a bundle of poetune.") from error
    wanted = {}
    for number, line in enumerate(listed, 1):
        found = re.fullmatch(r"([0-9a-f]{64}) [ *](.+)", line)
        if not found or not _plain_name(found[2]):
            raise StoreError(f"Line {number} of {folder / SUMS} is not a checksum of a file beside it; ship again.")
        wanted[found[2]] = found[1]
    wrong = []
    for name, sha in wanted.items():
        if not (folder / name).is_file():
            wrong.append(f"{name} is missing.")
        elif _copy(folder / name, None) != sha:
            wrong.append(f"{name} was changed after it was shipped.")
    there = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    wrong += [f"{name} was not shipped with the bundle." for name in there if name not in wanted and name != SUMS]
    return tuple(wrong)


def _taken(kind: Kind, source: Path) -> list[str]:
    there = sorted(p.name for p in source.iterdir() if p.is_file()) if source.is_dir() else []
    taken = [name for name in there if any(fnmatch(name, pattern) for pattern in _TAKEN)]
    if not any(name in taken for name in _WEIGHTS[kind]):
        if kind == "adapter" and any(name in taken for name in _WEIGHTS["merged"]):
            raise StoreError(f"The checkpoint {source} is a whole model and has no adapter; use `poetune ship merged`.")
        raise StoreError(
            f"The folder {source} holds no {_WEIGHTS[kind][0]}; "
            f"ship a checkpoint that was {'trained' if kind == 'adapter' else 'merged'} to safetensors."
        )
    shards: set[str] = set()
    if "model.safetensors.index.json" in taken:
        shards = set(_object(source / "model.safetensors.index.json").get("weight_map", {}).values())
    for name in sorted({_CONFIG[kind], *shards}):
        if name not in taken:
            raise StoreError(
                f"The folder {source} lacks {name}, without which the model cannot be loaded; make it again."
            )
    return taken


def _without_paths(file: Path, base: str) -> bytes:
    """The file as it is, unless it names a folder of this machine as its base."""
    settings = _object(file)
    local = [key for key in _PATH_KEYS if _is_path(settings.get(key))]
    if not local:
        return file.read_bytes()
    for key in local:
        settings[key] = base if hub_id(base) else ""
    return (json.dumps(settings, ensure_ascii=False, indent=2) + "\n").encode()


def _object(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StoreError(f"The file {file} is not JSON, so the model cannot be loaded; make it again.") from error
    return value if isinstance(value, dict) else {}


def _is_path(value: object) -> bool:
    """Whether a base is named by a folder of a machine: a hub id is one name, or two with a slash between."""
    if not isinstance(value, str):
        return False
    return value.startswith(("/", ".", "~")) or PureWindowsPath(value).is_absolute() or value.count("/") > 1


def _copy(source: Path, target: Path | None) -> str:
    """SHA-256 of a file, copied on the way where there is a target."""
    sha = hashlib.sha256()
    with source.open("rb") as reading:
        writing = target.open("wb") if target else None
        try:
            while block := reading.read(1 << 20):
                sha.update(block)
                if writing:
                    writing.write(block)
        finally:
            if writing:
                writing.close()
    return sha.hexdigest()


def _write(file: Path, text: str) -> str:
    data = text.encode("utf-8")
    file.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def _plain_name(name: str) -> bool:
    return name not in (".", "..") and not set(name) & {"/", "\\", "\0"}
