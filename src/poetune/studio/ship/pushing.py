"""A bundle goes to the Hugging Face hub: only when it is asked for, and private unless it is asked otherwise."""

import os
import re
from pathlib import Path

from poetune.errors import EngineError

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def ready(repo: str) -> None:
    """Raises EngineError where a push to `repo` could not begin: a wrong name, no library, no token."""
    if not _ID.fullmatch(repo):
        raise EngineError(f"--push: `{repo}` is no name on the hub; write OWNER/NAME.")
    try:
        from huggingface_hub import get_token
    except ImportError:
        raise EngineError("--push needs huggingface_hub; run: pip install 'poetune[torch]'.") from None
    if not get_token():
        raise EngineError("--push: this machine has no token of the hub; log in with `hf auth login`, or set HF_TOKEN.")


def push(folder: Path, repo: str, public: bool = False) -> str:
    """Make the repository where it is not there, private unless `public`, and upload the folder in one commit.

    Returns where it lies. The hub is that of HF_ENDPOINT. One that is there keeps its visibility.
    Raises EngineError where the hub refuses or cannot be reached; what is on disk stays.
    """
    ready(repo)
    from huggingface_hub import HfApi
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

    disable_progress_bars()
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
    try:
        api.create_repo(repo, private=not public, exist_ok=True)
        done = api.upload_folder(repo_id=repo, folder_path=folder, commit_message="A bundle of poetune")
    except Exception as error:  # the hub client's errors are many and its own
        reason = str(error).strip().split("\n")[0]
        raise EngineError(
            f"--push: {repo} could not be uploaded ({reason}); the bundle lies whole in {folder}, so try again, or "
            f"upload it by `hf upload {repo} {folder}`."
        ) from error
    return str(done)
