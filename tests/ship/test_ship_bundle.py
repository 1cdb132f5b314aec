import hashlib
import json
import shutil
import subprocess

import pytest

from poetune.errors import StoreError
from poetune.ship.bundle import bundle, verify


@pytest.fixture
def adapter(tmp_path):
    folder = tmp_path / "checkpoint-000200"
    (folder / "resume").mkdir(parents=True)
    (folder / "resume" / "optimizer.pt").write_bytes(b"state")
    (folder / "adapter_model.safetensors").write_bytes(b"\x00weights" * 999)
    (folder / "adapter_config.json").write_text(json.dumps({"r": 8, "base_model_name_or_path": "/home/ann/base"}))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "poetune.json").write_text('{"base": "hash"}')
    (folder / "training_args.bin").write_bytes(b"pickle")
    (folder / "README.md").write_text("peft's own card")
    return folder


def test_an_adapter_goes_out_with_card_sums_and_manifest(adapter, tmp_path):
    out = tmp_path / "out"
    sums = bundle("adapter", adapter, "# card\n", out, base="Qwen/Q", lineage={"model": "m1", "base": "/home/ann/base"})
    assert set(sums) == {
        *("README.md", "adapter_config.json", "adapter_model.safetensors"),
        *("manifest.json", "poetune.json", "tokenizer.json"),
    }
    assert {p.name for p in out.iterdir()} == {*sums, "SHA256SUMS"}
    assert all(hashlib.sha256((out / name).read_bytes()).hexdigest() == sha for name, sha in sums.items())
    assert json.loads((out / "adapter_config.json").read_text()) == {"r": 8, "base_model_name_or_path": "Qwen/Q"}
    assert (out / "adapter_model.safetensors").read_bytes() == (adapter / "adapter_model.safetensors").read_bytes()
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["kind"], manifest["lineage"]) == ("adapter", {"model": "m1", "base": "base"})
    assert verify(out) == ()
    if shutil.which("sha256sum"):
        assert subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=out, capture_output=True).returncode == 0


def test_verify_names_what_is_missing_changed_or_added(adapter, tmp_path):
    out = tmp_path / "out"
    bundle("adapter", adapter, "card", out)
    (out / "tokenizer.json").unlink()
    (out / "README.md").write_text("another card")
    (out / "extra").mkdir()
    (out / "extra" / "virus.bin").write_text("")
    assert verify(out) == (
        "README.md was changed after it was shipped.",
        "tokenizer.json is missing.",
        "extra/virus.bin was not shipped with the bundle.",
    )


@pytest.mark.parametrize("line", ["0" * 64 + "  ../secret", "nonsense", "0" * 64 + "  a/b"])
def test_verify_reads_no_file_outside_the_bundle(tmp_path, line):
    (tmp_path / "SHA256SUMS").write_text(line + "\n")
    with pytest.raises(StoreError, match="Line 1"):
        verify(tmp_path)


def test_a_merged_model_may_ship_where_it_was_written(tmp_path):
    (tmp_path / "config.json").write_text('{"_name_or_path": "org/model"}')
    (tmp_path / "model-00001-of-00002.safetensors").write_bytes(b"1")
    (tmp_path / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}})
    )
    with pytest.raises(StoreError, match="model-00002-of-00002"):
        bundle("merged", tmp_path, "card", tmp_path)
    (tmp_path / "model-00002-of-00002.safetensors").write_bytes(b"2")
    first = bundle("merged", tmp_path, "card", tmp_path)
    assert bundle("merged", tmp_path, "card", tmp_path) == first
    assert verify(tmp_path) == ()


def test_what_cannot_ship_is_refused(adapter, tmp_path):
    with pytest.raises(StoreError, match=r"no model\.safetensors"):
        bundle("merged", adapter, "card", tmp_path / "out")
    with pytest.raises(StoreError, match="empty folder"):
        bundle("adapter", adapter, "card", tmp_path)
    whole = tmp_path / "whole"
    whole.mkdir()
    (whole / "model.safetensors").write_bytes(b"1")
    with pytest.raises(StoreError, match="has no adapter; use `poetune ship merged`"):
        bundle("adapter", whole, "card", tmp_path / "out")
