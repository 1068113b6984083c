"""What GraphQL is asked to do, by whom: nothing hides a mutation."""

import json
from datetime import timedelta
from typing import Any

import pytest

from phx_pipeline.model.access import Role
from phx_pipeline_tests.door import (
    JSON,
    LOCAL,
    Door,
)
from phx_pipeline_tests.jobs import ask_job

_LAUNCH = """mutation {
    launchRun(executionParams: {selector: {jobName: "x"}}) { __typename }
}"""
_LAUNCH_TAGGED = (
    "mutation($t: T) "
    "{ launchRun(executionParams: {executionMetadata: {tags: %s}}) { x } }"
)
_WIPE = "mutation { wipeAssets(assetPartitionRanges: []) { __typename } }"
_STOP = 'mutation { terminateRun(runId: "r1") { __typename } }'
_READ = "{ version }"


_FRAGMENT = "mutation { ...Hidden } fragment Hidden on Mutation { %s }"
_TWO = f"query Look {_READ} {_WIPE.replace('mutation', 'mutation Wipe')}"


@pytest.mark.parametrize(
    ("query", "more", "needed"),
    [
        (_READ, {}, Role.READER),
        (f"query Look {_READ}", {"operationName": "Look"}, Role.READER),
        ("mutation { setNuxSeen }", {}, Role.READER),
        ('mutation { logTelemetry(action: "a") { __typename } }', {}, Role.READER),
        ("{ wipeAssets: version }", {}, Role.READER),
        (_STOP, {}, Role.OPERATOR),
        ('mutation { cancelPartitionBackfill(backfillId: "b") { x } }', {}, 2),
        ('mutation { resumePartitionBackfill(backfillId: "b") { x } }', {}, 2),
        (_WIPE, {}, Role.ADMIN),
        ("mutation { version: wipeAssets { x } }", {}, Role.ADMIN),
        ('mutation { launchRun: deleteRun(runId: "r") { x } }', {}, Role.ADMIN),
        ("mutation { reloadWorkspace { x } }", {}, Role.ADMIN),
        ("mutation { somethingNew }", {}, Role.ADMIN),
        ("mutation { ... on Mutation { wipeAssets { x } } }", {}, Role.ADMIN),
        ("mutation { ... { wipeAssets { x } } }", {}, Role.ADMIN),
        (_FRAGMENT % "wipeAssets { x }", {}, Role.ADMIN),
        (_FRAGMENT % "...Hidden wipeAssets { x }", {}, Role.ADMIN),
        ("mutation { wipeAssets @include(if: false) { x } }", {}, Role.ADMIN),
        (f"mutation {{ setNuxSeen {_STOP[11:-1]} deleteRun {{ x }} }}", {}, 3),
        (_TWO, {"operationName": "Look"}, Role.READER),
        (_TWO, {"operationName": "Wipe"}, Role.ADMIN),
        (_TWO, {}, Role.ADMIN),
        (_TWO, {"operationName": "None"}, Role.READER),  # which Dagster refuses
    ],
)
async def test_a_document_is_judged_by_what_it_does(
    door: Door, query: str, more: dict[str, Any], needed: int
) -> None:
    keys = {role: door.key(role, name=role.word) for role in Role}

    found = {role: await door.graphql(query, key=keys[role], **more) for role in Role}

    assert found == {role: 200 if role >= needed else 403 for role in Role}
    assert await door.graphql(query, **more) == 401
    assert len(door.reached) == sum(role >= needed for role in Role)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"a"',
        json.dumps([{"query": _WIPE}]).encode(),
        json.dumps([{"query": _READ}, {"query": _WIPE}]).encode(),
        json.dumps({"variables": {}}).encode(),
        json.dumps({"query": {"a": 1}}).encode(),
        json.dumps({"query": _READ, "operationName": 1}).encode(),
        json.dumps({"query": _READ, "variables": []}).encode(),
        json.dumps({"query": _READ, "variables": "{"}).encode(),
        b'{"query": ' + b"[" * 100_000,
        json.dumps({"query": "{a" * 20_000}).encode(),
        json.dumps({"query": "mutation { wipeAssets(" + "a" * 9}).encode(),
        json.dumps({"query": f"{_WIPE} query A {{ {'a ' * 20_001} }}"}).encode(),
        json.dumps({"query": f"{_READ} #{'a' * 200_000}"}).encode(),
        json.dumps({"query": "subscription { a }"}).encode(),
        json.dumps({"query": f"subscription A {{ a }} {_READ}"}).encode(),
    ],
    ids=lambda body: body[:40].decode(),
)
async def test_what_is_not_one_request_is_refused(door: Door, body: bytes) -> None:
    text = door.key(Role.ADMIN)

    answer = await door.asked("POST", "/graphql", key=text, content=body, headers=JSON)

    assert answer.status_code == 400
    assert door.reached == []


async def test_what_is_executed_is_what_was_judged(door: Door) -> None:
    """Two names in one object, and an address: only the one that was read counts."""
    text = door.key(Role.READER)
    body = b'{"query": "' + _WIPE.encode() + b'", "query": "{ version }"}'

    answer = await door.asked("POST", "/graphql", key=text, content=body, headers=JSON)

    assert answer.status_code == 200
    sent = json.loads(door.bodies[-1])
    assert sent == {"query": _READ, "variables": {}, "operationName": None}
    lengths = [v for k, v in door.reached[-1]["headers"] if k == b"content-length"]
    assert lengths == [str(len(door.bodies[-1])).encode()]


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (_LAUNCH, {}),
        (
            "mutation($p: ExecutionParams!) { launchRun(executionParams: $p) { x } }",
            {
                "p": {
                    "executionMetadata": {"tags": [{"key": "phx/user", "value": "z"}]},
                    "selector": {"jobName": "look_at_houses"},
                }
            },
        ),
    ],
)
async def test_a_launch_is_tagged_with_who_asks_and_noted(
    door: Door, query: str, variables: dict[str, object]
) -> None:
    text = door.key(Role.OPERATOR, name="ana")

    assert await door.graphql(query, key=text, variables=variables) == 200

    sent = door.bodies[-1].decode()
    assert sent.count("phx/user") == 1
    assert "ana" in sent
    (entry,) = door.audit()
    assert (entry.target == "look_at_houses") is bool(variables)
    assert (entry.user, entry.action, entry.detail, entry.address) == (
        "ana",
        "ui.launch",
        "launchRun",
        "127.0.0.1",
    )


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("mutation($p: P = {}) { launchRun(executionParams: $p) { x } }", {}),
        ("mutation($p: P) { launchRun(executionParams: $p) { x } }", {"p": 1}),
        (_LAUNCH_TAGGED % "[$t]", {"t": {"key": "phx/user", "value": "z"}}),
        (_LAUNCH_TAGGED % "$t", {}),
        ("mutation { launchRun(executionParams: {executionMetadata: 1}) { x } }", {}),
    ],
)
async def test_a_launch_that_cannot_be_tagged_is_refused_with_the_remedy(
    door: Door, query: str, variables: dict[str, object]
) -> None:
    body = {"query": query, "variables": variables}

    answer = await door.asked("POST", "/graphql", json=body)

    assert answer.status_code == 400
    assert "in the variables" in answer.text
    assert door.reached == []


@pytest.mark.parametrize(
    ("method", "path", "noted"),
    [
        ("POST", "/report_asset_check/a", ["ui.change"]),
        ("GET", "/download_debug/r1", ["ui.download"]),
        ("GET", "/runs", []),
        ("POST", "/api/extraction/jobs", []),  # the app notes its own deeds
    ],
)
async def test_deeds_are_noted_once_they_are_done(
    door: Door, method: str, path: str, noted: list[str]
) -> None:
    await door.asked(method, path)
    door.status = 409
    await door.asked(method, path)
    await door.graphql(_WIPE)

    assert [it.action for it in door.audit()] == noted


async def test_an_app_notes_its_own_deeds_by_the_hook(door: Door) -> None:
    await door.asked("GET", "/api/images")

    await door.reached[-1]["state"]["audit"]("job.submit", "j1\n\x1b[2J", detail="2")

    (entry,) = door.audit()
    assert (entry.user, entry.action, entry.address) == (
        LOCAL,
        "job.submit",
        "127.0.0.1",
    )
    assert entry.target.isprintable()


@pytest.mark.parametrize(
    ("query", "more"),
    [
        (_STOP, {}),
        ('mutation { b: cancelPartitionBackfill(backfillId: "r1") { x } }', {}),
        ('mutation { resumePartitionBackfill(backfillId: "r1") { x } }', {}),
        (
            "mutation($r: [String!]!) { terminateRuns(runIds: $r) { x } }",
            {"variables": {"r": ["mine", "r1"]}},
        ),
        ('mutation($r: String! = "r1") { terminateRun(runId: $r) { x } }', {}),
    ],
)
async def test_what_is_run_for_others_only_an_admin_may_stop(
    door: Door, query: str, more: dict[str, Any]
) -> None:
    door.users = {"r1": "bob", "mine": "ana"}
    ana, root = (
        door.key(role, name=name)
        for role, name in ((Role.OPERATOR, "ana"), (Role.ADMIN, "root"))
    )
    bob = door.key(Role.OPERATOR, name="bob")
    body = {"query": query, **more}

    refused = await door.asked("POST", "/graphql", key=ana, json=body)

    assert refused.status_code == 403
    assert door.reached == []
    (told,) = refused.json()["data"].values()
    told = told.get("terminateRunResults", [told])[0]
    assert told["__typename"] == "UnauthorizedError"
    assert "what is run for bob, and ana may change own runs alone" in told["message"]
    assert await door.graphql(query, key=root, **more) == 200
    is_all_his = "mine" not in str(more)
    assert await door.graphql(query, key=bob, **more) == (200 if is_all_his else 403)


async def test_who_may_ask_for_no_more_jobs_launches_none_in_the_ui(
    door: Door,
) -> None:
    ana, bob = (door.key(Role.OPERATOR, name=name) for name in ("ana", "bob"))
    for number in range(2):
        ask_job(door.catalog(), f"job-{number}", [], user="ana", at=door.now)

    sent = {"query": _LAUNCH}
    refused = await door.asked("POST", "/graphql", key=ana, json=sent)

    assert (refused.status_code, door.reached) == (403, [])
    assert (
        "2 are allowed (PHX_JOBS_PER_HOUR)"
        in refused.json()["data"]["launchRun"]["message"]
    )
    assert await door.graphql("mutation { terminateRun { x } }", key=ana) == 200
    assert await door.graphql(_LAUNCH, key=bob) == 200


_LAUNCH_MANY = """mutation($p: [ExecutionParams!]!) {
    launchMultipleRuns(executionParamsList: $p) { __typename }
}"""
_LAUNCH_LISTED = """mutation($p: ExecutionParams!) {
    launchMultipleRuns(executionParamsList: [$p, {}, {}]) { __typename }
}"""
_LAUNCH_ALIASED = """mutation {
    a: launchRun(executionParams: {}) { x }
    ...F
    b: launchPartitionBackfill(backfillParams: {tags: []}) { x }
} fragment F on Mutation { c: launchRun(executionParams: {}) { x } }"""
_REPEAT = """mutation {
    a: reexecutePartitionBackfill(reexecutionParams: {parentRunId: "b"}) { x }
    b: reexecutePartitionBackfill(reexecutionParams: {parentRunId: "b"}) { x }
    resumePartitionBackfill(backfillId: "b") { x }
}"""
_PARAMS = {"selector": {"jobName": "x"}}


@pytest.mark.parametrize(
    ("query", "given"),
    [
        (_LAUNCH_ALIASED, None),
        (_REPEAT, None),
        (_LAUNCH_MANY, [_PARAMS] * 3),
        (_LAUNCH_LISTED, _PARAMS),
    ],
)
async def test_all_that_one_request_launches_counts(
    door: Door, query: str, given: object
) -> None:
    ana = door.key(Role.OPERATOR, name="ana")
    sent = {"query": query, "variables": {"p": given}}

    refused = await door.asked("POST", "/graphql", key=ana, json=sent)

    assert (refused.status_code, door.reached) == (403, [])
    assert "ask for 3 more at once: 2 are allowed" in refused.text


async def test_what_was_launched_just_now_counts_before_it_is_a_job_and_once_then(
    door: Door,
) -> None:
    ana, bob = (door.key(Role.OPERATOR, name=name) for name in ("ana", "bob"))
    first = await door.graphql(_LAUNCH, key=ana)
    ask_job(door.catalog(), "run-1", [], user="ana", at=door.now)

    then = [await door.graphql(_LAUNCH, key=ana) for _ in range(2)]

    assert (first, then) == (200, [200, 403])
    assert await door.graphql(_LAUNCH, key=bob) == 200
    door.now += timedelta(minutes=59)  # it may be a run of no house
    assert await door.graphql(_LAUNCH, key=ana) == 403
    door.now += timedelta(minutes=2)
    assert await door.graphql(_LAUNCH, key=ana) == 200


_BEGUN = {"data": {"a": {"__typename": "LaunchRunSuccess"}}}
_FAILED = {"data": {"a": {"__typename": "RunConfigValidationInvalid"}}}
_NO_DOCUMENT = {"data": None, "errors": [{"message": "no such field"}]}
_BROKEN = {"data": None, "errors": [{"message": "x", "path": ["a"]}]}


@pytest.mark.parametrize(
    ("answer", "counts"),
    [(_BEGUN, True), (_FAILED, False), (_NO_DOCUMENT, False), (_BROKEN, True)],
    ids=["begun", "not valid", "not executed", "broken off"],
)
async def test_a_launch_that_dagster_refused_does_not_count(
    door: Door, answer: object, *, counts: bool
) -> None:
    ana = door.key(Role.OPERATOR, name="ana")
    door.answer = json.dumps(answer).encode()

    told = [await door.graphql(_LAUNCH, key=ana) for _ in range(3)]

    assert told == [200, 200, 403 if counts else 200]


@pytest.mark.parametrize(
    ("given", "operator", "told"),
    [
        ({"executionMetadata": {"parentRunId": "r1"}}, 200, ""),
        ({"executionMetadata": {"parentRunId": "no"}}, 403, "there is no run 'no'"),
        ({"runConfigData": "{}\n"}, 200, ""),
        ({"runConfigData": {}}, 200, ""),
        ({"runConfigData": {"ops": {}}}, 403, "without `runConfigData`"),
        ({"runConfigData": "ops: {}"}, 403, "without `runConfigData`"),
    ],
    ids=["parent", "no parent", "no text", "empty", "config", "text"],
)
async def test_what_a_launch_says_of_itself_is_looked_at(
    door: Door, given: dict[str, object], operator: int, told: str
) -> None:
    door.users = {"r1": "bob"}
    query = "mutation($p: P) { launchRun(executionParams: $p) { x } }"
    sent = {"query": query, "variables": {"p": given}}
    ana, root = door.key(Role.OPERATOR, name="ana"), door.key(Role.ADMIN, name="root")

    answer = await door.asked("POST", "/graphql", key=ana, json=sent)
    of_admin = await door.asked("POST", "/graphql", key=root, json=sent)

    assert answer.status_code == operator
    assert told in answer.text
    assert of_admin.status_code == (200 if "runConfigData" in given else operator)
