"""Likeness by a local embedding model: cosines that do not hang on the batch, and one sentence where there is none."""

import pytest

pytest.importorskip("torch")

from poetune.backends.table import open_embedder
from poetune.errors import EngineError


def test_likeness_is_a_cosine_that_padding_does_not_move(mini, tmp_path):
    from pathlib import Path

    found = open_embedder(Path(mini()))
    texts = ["rain", "The rain came down on the slate roof all night", "雨"]
    whole = found.likeness(texts, texts)
    for i, text in enumerate(texts):
        assert whole[i][i] == pytest.approx(1, abs=1e-5)
        assert found.likeness([text], texts)[0] == pytest.approx(whole[i], abs=1e-5)
    assert whole[0][1] == pytest.approx(whole[1][0], abs=1e-5)
    with pytest.raises(EngineError, match=r"score.embedder: .* holds no embedding model"):
        open_embedder(tmp_path)
