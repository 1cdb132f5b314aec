"""Out of the house: bundles are read again, the prompt is the one learned, the hub hears what it was told."""

import json
import re
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "ship")]

from hub import hub  # noqa: E402
from test_ship_ollama import subset  # noqa: E402

from poetune.errors import EngineError  # noqa: E402
from poetune.records import Prompt  # noqa: E402
from poetune.studio import Studio, prompting  # noqa: E402
from poetune.studio.init import create  # noqa: E402
from poetune.studio.ship import pushing  # noqa: E402

pytestmark = pytest.mark.torch
SMALL = [
    "engine=torch",
    "finetune.steps=2",
    "finetune.checkpoint_every=2",
    "finetune.validate_every=2",
    "finetune.warmup=0",
    "finetune.rank=2",
    "finetune.rate=0.01",
    "dataset.shares=[60, 20, 20]",
    "dataset.system=You keep the scale.",
    "generate.themes=[rain, salt]",
    "generate.templates=[airy.v1]",
    "generate.max_tokens=12",
    "ship.rights=All poems are my own.",
    "ship.contact=the keeper",
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "poet"
    poems = folder.parent / "poems"
    poems.mkdir()
    words = "rain salt lamp stone river bread winter door orchard letter moth tide".split()  # noqa: SIM905
    for i, word in enumerate(words):
        (poems / f"{word}.txt").write_text(f"The {word} is {words[i - 1]}.\nI weigh the {words[i - 5]}.\n", "utf-8")
    create(folder, "The Keeper", "en", "starter", "torch")
    with Studio(folder, [*SMALL, f"corpus.files=[{poems}]"]) as studio:
        studio.corpus()
        studio.finetune()
    return folder


@pytest.fixture
def trained(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "poet"))


def test_each_bundle_is_read_again_and_goes_to_the_hub_private(
    trained: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Studio(trained, SMALL) as studio, hub() as there:
        monkeypatch.setenv("HF_ENDPOINT", there.url)
        monkeypatch.setenv("HF_TOKEN", "hf_test")
        done = studio.ship("adapter", repo="me/keeper")
        assert done.read_by == ["torch"]
        assert there.private == {"me/keeper": True}
        assert there.tokens == {"Bearer hf_test"}
        sent = there.files["me/keeper"]
        folder = Path(done.path)
        assert {name: data for name, data in sent.items() if name != ".gitattributes"} == {
            path.name: path.read_bytes() for path in folder.iterdir()
        }
        there.refuses = True
        with pytest.raises(EngineError, match=r"me/keeper could not be uploaded .* lies whole in"):
            studio.ship("adapter", repo="me/keeper")
        there.refuses = False
        studio.ship("adapter", repo="me/open", public=True)
        assert there.private["me/open"] is False
    card, data = (folder / "README.md").read_text("utf-8"), (folder / "DATA.md").read_text("utf-8")
    for said in ("Unselected", "## Rights", "All poems are my own.", "## Contact\n\nthe keeper", "Out of scope"):
        assert said in card
    assert "| train | " in data
    assert str(trained) not in card + data
    assert not any(poem.read_text("utf-8").split("\n")[0] in data for poem in (made.parent / "poems").iterdir())


def test_other_formats_are_read_by_their_own_engines(trained: Path) -> None:
    with Studio(trained, SMALL) as studio:
        turned = studio.ship("adapter", wanted="mlx")
        assert turned.read_by == (["torch", "mlx"] if find_spec("mlx_lm") else ["torch"])
        whole = studio.ship("ollama")
    folder = Path(whole.path)
    assert json.loads((folder / "manifest.json").read_text("utf-8"))["files"]["Modelfile"]
    text = (folder / "Modelfile").read_text("utf-8")
    found = re.search(r'TEMPLATE """(.*?)"""', text, re.S)
    assert found
    assert 'SYSTEM """You keep the scale."""' in text
    assert 'PARAMETER stop "<|im_end|>"' in text
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    with Studio(trained, SMALL) as studio:
        for system in ("", "You keep the scale.", "Be brief."):
            for theme in ("rain", "a lamp, 雨"):
                asked = prompting.conversation(studio, Prompt(theme, "airy.v1", system))
                ids = studio.generator().render(studio.weights(studio.base_model()), asked)
                written = subset(found[1], system, theme)
                assert tokenizer.encode(written, add_special_tokens=True) in (ids, ids[1:])
                assert tokenizer.decode(ids).endswith(written)


def test_a_bundle_that_is_not_the_model_is_not_shipped(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Studio(trained, SMALL) as studio:
        merge = studio.engine().merge

        def forgets(weights: Any, out: Path) -> None:
            merge(type(weights)(weights.base), out)

        monkeypatch.setattr(studio.engine(), "merge", forgets)
        with pytest.raises(EngineError, match=r"is not the model of the project .* nothing was shipped"):
            studio.ship("merged")
        assert not list((trained / "shipped").iterdir())


def test_what_is_missing_is_said(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    with Studio(trained, SMALL) as studio:
        with pytest.raises(EngineError, match="has no token of the hub; log in with `hf auth login`"):
            studio.ship("adapter", repo="me/keeper")
        assert not (trained / "shipped").exists()
        with pytest.raises(EngineError, match="write OWNER/NAME"):
            pushing.ready("keeper")
        with pytest.raises(EngineError, match="no poem was accepted yet"):
            studio.chapbook()
        shutil.rmtree(next((trained / "runs").iterdir()))
        with pytest.raises(EngineError, match="is gone; put it back"):
            studio.ship("adapter")
