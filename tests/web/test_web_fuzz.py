"""Every route, fuzzed from its own schema, with requests that fit it and requests that do not: never a server error."""

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from poetune.records import Candidate, Conversation
from poetune.review.sides import Pair
from poetune.store import Store
from poetune.studio import Studio
from poetune.studio.ballot import Ballots
from poetune.studio.desk import Asked
from poetune.studio.gallery import Gallery
from poetune.studio.init import create
from poetune.web.app import create_app
from poetune.web.faces import Faces

FEW = settings(max_examples=10, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
ASKED = Asked(("form", "voice"), "r.v1", (("tone", "Which?"),))


def faces(project, studio):
    return Faces(
        desk=project.desk(asked=ASKED),
        ballots=Ballots(project.path, [Pair("c0", "c1"), Pair("c2", "c3")]),
        gallery=Gallery(project.path, "a poet", lambda _: Conversation()),
        pen=studio.pen(),
    )


@pytest.fixture
def studio(tmp_path):
    create(tmp_path / "poet", "The Keeper", "en", "starter", "echo")
    with Studio(tmp_path / "poet", ["generate.max_tokens=20"]) as studio:
        yield studio


@pytest.fixture
def served(project, studio, serve_desk):
    found = faces(project, studio)
    with serve_desk(found.desk, ballots=found.ballots, gallery=found.gallery, pen=found.pen) as url:
        base = url.partition("/?")[0]
        with httpx.Client() as client:
            client.get(url)
            yield base, dict(client.cookies)


def fuzz(operation, mode, ask):
    @FEW
    @given(case=operation.as_strategy(mode), item=st.sampled_from(["", "c0", "c1", "c0+c1", "c2+c3"]))
    def probe(case, item):
        if item and isinstance(case.body, dict) and isinstance(case.body.get("item"), str):
            case.body["item"] = item  # one of the queue, so that more is reached than "not in the queue"
        ask(case)

    probe()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_request_is_a_server_error(project, studio, served, mode):
    base, cookies = served
    unserved = faces(project, studio)
    schema = schemathesis.openapi.from_dict(create_app(unserved, "unused-token").openapi())
    unserved.close()
    seen: dict[str, set[int]] = {}

    def ask(case):
        answer = case.call(base_url=base, headers={"Origin": base}, cookies=cookies, allow_redirects=False)
        seen.setdefault(case.operation.path, set()).add(answer.status_code)
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400 and answer.headers.get("Content-Type") == "application/json":
            assert answer.json()["error"].endswith(".")

    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in operations:
        if mode is GenerationMode.POSITIVE or operation.body or operation.query:  # else no request is wrong
            fuzz(operation, mode, ask)
    if mode is GenerationMode.POSITIVE:
        assert set(seen) == {operation.path for operation in operations}
        assert 200 in seen["/api/decide"] | seen["/api/vote"]
    with Store(project.path) as store:
        assert store.count(Candidate) == 4
