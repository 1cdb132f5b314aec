"""Bases as the presets name them, in miniature: the real architecture and special tokens, random weights."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """A base folder by its model's name."""
    pytest.importorskip("torch")
    import small_bases

    made = {}

    def get(name):
        if name not in made:
            made[name] = str(small_bases.base(tmp_path_factory.mktemp("base"), name))
        return made[name]

    return get
