"""What is said when a base cannot be had; the hub's own errors stand at the door."""

import errno

import httpx
import pytest

pytest.importorskip("torch")
errors = pytest.importorskip("huggingface_hub.errors")

from poetune.backends import bases  # noqa: E402
from poetune.errors import EngineError  # noqa: E402

URL = "https://huggingface.co/api/models/poets/verse-7b/revision/main"


def answered(kind, status):
    """An error of the hub client, made as it makes them."""
    import inspect

    library = inspect.getmodule(errors.HfHubHTTPError.__mro__[1])  # httpx, under whatever name the client has it
    module = __import__(library.__name__.split(".")[0])
    request = module.Request("GET", URL)
    return kind("said by the hub", response=module.Response(status, request=request))


CASES = {
    "unknown": (lambda: answered(errors.RepositoryNotFoundError, 401), "the hub has no model poets/verse-7b"),
    "gated": (
        lambda: answered(errors.GatedRepoError, 403),
        r"is gated; accept its terms at .*poets/verse-7b.*HF_TOKEN",
    ),
    "away": (
        lambda: errors.LocalEntryNotFoundError("cannot find an appropriate snapshot"),
        r"hub cannot be reached.*a local folder.*`hf download poets/verse-7b`.*HF_HUB_OFFLINE=1",
    ),
    "offline": (lambda: errors.OfflineModeIsEnabled("offline mode"), "hub cannot be reached.*a local folder"),
    "no route": (lambda: httpx.ConnectError("no route to host"), "hub cannot be reached.*a local folder"),
    "slow": (lambda: TimeoutError("timed out"), "hub cannot be reached.*a local folder"),
    "busy": (lambda: answered(errors.HfHubHTTPError, 503), r"could not be fetched from the hub \(said by the hub"),
    "disk": (lambda: OSError(errno.ENOSPC, "No space left on device"), "could not be fetched .*No space left"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_hub_cannot_give_it(monkeypatch, case):
    make, words = CASES[case]

    def refuse(*_, **__):
        raise make()

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(EngineError, match=words) as caught:
        bases.resolve("poets/verse-7b")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["nowhere", "./models/none", "/models/none", "a/b/c"])
def test_what_is_no_hub_id_is_a_missing_folder(name):
    with pytest.raises(EngineError, match="is no folder on this machine; name a model folder or a hub id"):
        bases.resolve(name)


def test_a_folder_without_weights_or_config(tmp_path):
    with pytest.raises(EngineError, match=r"has no config\.json"):
        bases.resolve(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(EngineError, match=r"has no \.safetensors file"):
        bases.resolve(str(tmp_path))
    assert bases.resolve(str(tmp_path), weights=False) == tmp_path.resolve()
