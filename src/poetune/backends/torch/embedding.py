"""Texts as points of sense, by an embedding model in a local folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from poetune.backends import bases
from poetune.errors import EngineError

_BATCH = 16
_LONGEST = 512  # tokens; what stands beyond is cut


class Embedder:
    """Mean of a model's last hidden states over a text's tokens, of length 1; nothing is fetched.

    Raises EngineError where the folder holds no model and tokenizer.
    """

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModel, AutoTokenizer

        bases.quiet()
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self._model: Any = AutoModel.from_pretrained(folder, local_files_only=True).eval()
        except (OSError, ValueError) as error:
            raise EngineError(
                f"score.embedder: {folder} holds no embedding model that can be read "
                f"({str(error).splitlines()[0][:120]}); name the folder of one, or leave the setting out."
            ) from None
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token

    def likeness(self, texts: Sequence[str], others: Sequence[str]) -> list[list[float]]:
        """Cosines, a row for each text and a column for each of the others."""
        found: list[list[float]] = (self._points(texts) @ self._points(others).T).tolist()
        return found

    def _points(self, texts: Sequence[str]) -> Any:
        out = []
        for i in range(0, len(texts), _BATCH):
            batch = self._tokenizer(
                list(texts[i : i + _BATCH]), padding=True, truncation=True, max_length=_LONGEST, return_tensors="pt"
            )
            batch.pop("token_type_ids", None)
            with torch.inference_mode():
                states = self._model(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1)
            out.append((states * mask).sum(1) / mask.sum(1).clamp(min=1))
        return torch.nn.functional.normalize(torch.cat(out).float(), dim=1)
