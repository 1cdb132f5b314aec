"""The figures of docs/mac.md are what the package computes."""

from pathlib import Path

import pytest

pytest.importorskip("mlx_lm")

from poetune.backends.mlx.macs import table

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "mac.md").read_text(encoding="utf-8")


def test_the_memory_table_is_computed():
    assert table() in PAGE, "paste poetune.backends.mlx.macs.table()"
    assert "computed" in PAGE
