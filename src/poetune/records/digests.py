"""The ids of records: a hash of what they were made from."""

import hashlib
import json
from dataclasses import asdict, is_dataclass


def digest(*parts: object) -> str:
    """16 hex characters of SHA-256 over the canonical JSON of `parts` (dataclasses as objects, keys sorted)."""

    def plain(value: object) -> object:
        if is_dataclass(value) and not isinstance(value, type):
            return asdict(value)
        raise TypeError(f"cannot hash {type(value).__name__}")

    text = json.dumps(parts, default=plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
