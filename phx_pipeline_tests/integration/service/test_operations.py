"""What is judged of GraphQL fits the schema of the Dagster that executes it."""

import re
from itertools import count
from typing import Any

import pytest
from dagster_graphql.schema import create_schema
from graphql import DocumentNode, GraphQLSchema, parse, validate
from graphql.execution import execute_sync
from graphql.execution.values import get_argument_values, get_variable_values

from phx_pipeline.errors import InputError
from phx_pipeline.model.access import MOST_TARGET
from phx_pipeline.model.name_list import names_of_line
from phx_pipeline.service import operations
from phx_pipeline.service.operations import Question

_USER = {"key": "phx/user", "value": "ana"}
_OTHER = {"key": "a", "value": "b"}
_OLD = {"key": "phx/user", "value": "mallory"}
_OF_JOB = [
    {"key": "phx/job", "value": "5f0c"},
    {"key": "phx/attempt", "value": "2"},
    {"key": "phx/repeats", "value": "r"},
    {"key": "dagster/retry_number", "value": "1"},
    {"key": ".dagster/phx_root", "value": "r"},
    {"key": ".dagster/phx_launch", "value": "r"},
]
_MARK = ".dagster/phx_launch"
_FORGED = [
    {"key": key, "value": value}
    for key, value in {
        "dagster/backfill": "/../../../pwned",
        "dagster/run_key": "5f0c:1:1-e-st",
        "dagster/sensor_name": "dispatch_jobs",
        "dagster/schedule_name": "s",
        "dagster/max_retries": "9" * 5_000,
        "dagster/retry_number": "1",
        "dagster/auto_retry_run_id": "r",
        "Dagster/will_retry": "false",
        ".dagster/phx_root": "../x",
        "phx/repeats": "r",
        "phx/anything": "x",
    }.items()
]
_CHOSEN = [
    {"key": key, "value": value}
    for key, value in {
        "dagster/partition": "1-e-st",
        "dagster/partition_set": "s",
        "dagster/asset_partition_range_start": "1-e-st",
        "dagster/parent_run_id": "r",
        "dagster/priority": "-99",
        "phx/sources": "zillow",
        "phx/mode": "resume",
        "team": "ä",
    }.items()
]
_SELECTOR = 'selector: {repositoryName: "r", repositoryLocationName: "l", jobName: "j"}'
_JOB = {"repositoryName": "r", "repositoryLocationName": "l", "jobName": "j"}
_RUN = "{ __typename }"


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    found = create_schema().graphql_schema
    assert isinstance(found, GraphQLSchema)
    return found


def arguments(schema: GraphQLSchema, question: Question) -> dict[str, Any]:
    """What a resolver of the first field would be given."""
    document: DocumentNode = parse(question.query)
    assert validate(schema, document) == []
    (operation,) = document.definitions
    field = operation.selection_set.selections[0]  # type: ignore[attr-defined]
    variables = get_variable_values(
        schema,
        operation.variable_definitions,  # type: ignore[attr-defined]
        dict(question.variables),
    )
    assert isinstance(variables, dict), variables
    assert schema.mutation_type is not None
    known = schema.mutation_type.fields[field.name.value]
    return get_argument_values(known, field, variables)


def tags_of(given: Any) -> list[list[dict[str, str]]]:
    """The lists of tags anywhere in the arguments, each with its launch's own."""
    found = _tags_of(given)
    marks = {tags[-1]["value"] for tags in found if tags[-1]["key"] == _MARK}
    assert len(marks) == 1
    return [tags[:-1] for tags in found]


def _tags_of(given: Any) -> list[list[dict[str, str]]]:
    if isinstance(given, list):
        return [tags for each in given for tags in _tags_of(each)]
    if not isinstance(given, dict):
        return []
    own = [given[name] for name in ("tags", "extraTags") if given.get(name)]
    return own + [tags for each in given.values() for tags in _tags_of(each)]


def launch(name: str, argument: str, kind: str) -> str:
    return f"mutation($p: {kind}) {{ {name}({argument}: $p) {_RUN} }}"


_PARAMS = launch("launchRun", "executionParams", "ExecutionParams!")
_MANY = launch("launchMultipleRuns", "executionParamsList", "[ExecutionParams!]!")
_AGAIN = launch("launchRunReexecution", "reexecutionParams", "ReexecutionParams")
_FILL = launch("launchPartitionBackfill", "backfillParams", "LaunchBackfillParams!")
_BOTH = f"""mutation($p: ExecutionParams, $r: ReexecutionParams) {{
    launchPipelineReexecution(executionParams: $p, reexecutionParams: $r) {_RUN}
}}"""
_PARTS = f"""mutation($m: ExecutionMetadata, $t: [ExecutionTag!]) {{
    a: launchRun(executionParams: {{{_SELECTOR}, executionMetadata: $m}}) {_RUN}
    b: launchRun(executionParams: {{{_SELECTOR}, executionMetadata: {{tags: $t}}}})
        {_RUN}
}}"""
_INLINE = "mutation { launchRun(executionParams: {%s%s}) { __typename } }"
_INLINE_MANY = """mutation($p: ExecutionParams!) {
    launchMultipleRuns(executionParamsList: [$p, {%s}]) { __typename }
}"""
_INLINE_FILL = """mutation { launchPartitionBackfill(
    backfillParams: {partitionNames: ["a"], tags: [%s]}) { __typename } }"""
_TAG = '{key: "%(key)s", value: "%(value)s"}'


@pytest.mark.parametrize(
    ("query", "variables", "expected"),
    [
        (_PARAMS, {"p": {"selector": _JOB}}, [[_USER]]),
        (
            _PARAMS,
            {"p": {"selector": _JOB, "executionMetadata": {"tags": [_OTHER, _OLD]}}},
            [[_OTHER, _USER]],
        ),
        (
            _PARAMS,
            {"p": {"selector": _JOB, "executionMetadata": {"tags": _OF_JOB}}},
            [[_USER]],
        ),
        (_INLINE_FILL % ", ".join(_TAG % it for it in _OF_JOB), {}, [[_USER]]),
        (
            _PARAMS,
            {"p": {"selector": _JOB, "executionMetadata": {"tags": _FORGED + _CHOSEN}}},
            [[*_CHOSEN, _USER]],
        ),
        (
            _INLINE_FILL % ", ".join(_TAG % it for it in _FORGED + _CHOSEN),
            {},
            [[*_CHOSEN, _USER]],
        ),
        (
            _PARAMS,
            {"p": {"selector": _JOB, "executionMetadata": {"tags": _OTHER}}},
            [[_OTHER, _USER]],
        ),
        (
            _PARAMS,
            {"p": {"selector": _JOB, "executionMetadata": {"tags": None}}},
            [[_USER]],
        ),
        (_PARAMS, {"p": {"selector": _JOB, "executionMetadata": None}}, [[_USER]]),
        (_MANY, {"p": [{"selector": _JOB}] * 2}, [[_USER]] * 2),
        (_MANY, {"p": {"selector": _JOB}}, [[_USER]]),
        (_AGAIN, {"p": {"parentRunId": "r", "strategy": "ALL_STEPS"}}, [[_USER]]),
        (_FILL, {"p": {"partitionNames": ["a"], "tags": [_OLD]}}, [[_USER]]),
        (_BOTH, {"r": {"parentRunId": "r", "strategy": "ALL_STEPS"}}, [[_USER]]),
        (
            _BOTH,
            {"p": None, "r": {"parentRunId": "r", "strategy": "ALL_STEPS"}},
            [[_USER]],
        ),
        (_BOTH, {"p": {"selector": _JOB}}, [[_USER]]),
        (_PARTS, {"m": {"tags": [_OTHER]}, "t": [_OLD]}, [[_OTHER, _USER]]),
        (_INLINE % (_SELECTOR, ""), {}, [[_USER]]),
        (_INLINE % (_SELECTOR, ", executionMetadata: {}"), {}, [[_USER]]),
        (
            _INLINE
            % (
                _SELECTOR,
                f", executionMetadata: {{tags: [{_TAG % _OTHER}, {_TAG % _OLD}]}}",
            ),
            {},
            [[_OTHER, _USER]],
        ),
        (_INLINE_MANY % _SELECTOR, {"p": {"selector": _JOB}}, [[_USER]] * 2),
        (_INLINE_FILL % (_TAG % _OLD), {}, [[_USER]]),
    ],
    ids=count(),
)
def test_all_that_is_launched_has_the_tag_once(
    schema: GraphQLSchema,
    query: str,
    variables: dict[str, Any],
    expected: list[list[dict[str, str]]],
) -> None:
    question = Question(query=query, variables=variables, operation=None, others={})

    tagged = question.tagged("ana")

    assert tags_of(arguments(schema, tagged)) == expected
    assert _OLD not in (tagged.variables.get("t") or [])
    assert question.variables == variables


def test_a_tag_with_a_default_for_its_key_is_refused() -> None:
    hidden = _INLINE_FILL % '{key: $k, value: "5f0c"}'
    query = hidden.replace("mutation", 'mutation($k: String = "phx/job")')
    question = Question(query=query, variables={}, operation=None, others={})

    with pytest.raises(InputError, match="give what is launched in the variables"):
        question.tagged("ana")


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("team", "x" * 256, "has 256 letters"),
        ("x" * 3_000, "a", "x…' has 3000 letters"),
        ("team", "a\0b", "the value of the tag 'team' holds a control character"),
        ("te\nam", "a", "the name of the tag 'te am' holds a control character"),
        ("phx/sources", "\ud800", "holds a control character: give plain text"),
        ("dagster/priority", "9" * 5_000, "has 5000 letters"),
        ("dagster/priority", "401", "says '401': give a whole number of at most 200"),
    ],
    ids=count(),
)
def test_a_tag_that_cannot_be_stored_or_read_is_refused(
    key: str, value: str, told: str
) -> None:
    tags = [{"key": key, "value": value}]
    variables = {"p": {"executionMetadata": {"tags": tags}}}
    question = Question(query=_PARAMS, variables=variables, operation=None, others={})

    with pytest.raises(InputError, match=re.escape(told)):
        question.tagged("ana")


@pytest.mark.parametrize("user", ['a"b\\', "ä\n{}", "$p"])
def test_a_name_cannot_break_out_of_a_document(
    schema: GraphQLSchema, user: str
) -> None:
    query = _INLINE % (_SELECTOR, "")
    question = Question(query=query, variables={}, operation=None, others={})

    found = tags_of(arguments(schema, question.tagged(user)))

    assert found == [[{"key": "phx/user", "value": user}]]


def test_the_mutations_that_are_named_are_there(schema: GraphQLSchema) -> None:
    """What is new in Dagster is for admins, until somebody has looked at it."""
    assert schema.mutation_type is not None
    known = operations._LAUNCHES | operations._STOPS | operations._NOTHING
    assert known <= set(schema.mutation_type.fields)
    launching = {name for name in schema.mutation_type.fields if "launch" in name}
    assert launching <= known


@pytest.mark.parametrize(
    ("query", "variables", "targets"),
    [
        ('mutation { terminateRun(runId: "r1") { x } }', {}, "r1"),
        (
            "mutation($r: [String!]!) { terminateRuns(runIds: $r) { x } }",
            {"r": ["r1", "r2"]},
            "r1, r2",
        ),
        (_FILL, {"p": {"partitionNames": ["a", "b"], "tags": []}}, "a, b"),
        (
            _PARAMS,
            {
                "p": {
                    "executionMetadata": {
                        "tags": [{"key": "dagster/partition", "value": "1-e-st"}]
                    }
                }
            },
            "1-e-st",
        ),
        ('mutation { wipeAssets(ranges: [{assetKey: {path: ["raw"]}}]) }', {}, "raw"),
    ],
)
def test_what_a_deed_is_about_is_found(
    query: str, variables: dict[str, Any], targets: str
) -> None:
    question = Question(query=query, variables=variables, operation=None, others={})

    assert question.targets == targets


def test_of_a_backfill_the_houses_are_named_and_its_assets_are_told_beside() -> None:
    houses = [f"{number}-w-davis-rd-glendale-az-85306" for number in range(40)]
    assets = [{"path": ["manifest"]}, {"path": ["raw_images"]}]
    place = {"repositorySelector": {"repositoryLocationName": "phx_pipeline"}}
    params = {"partitionNames": houses, "assetSelection": assets, "selector": place}
    question = Question(query=_FILL, variables={"p": params}, operation=None, others={})

    named, more = names_of_line(question.targets)

    assert list(named) == houses[: len(named)]
    assert len(named) + more == 40
    assert len(question.targets) <= MOST_TARGET
    assert question.extent == "40 houses, 2 assets (manifest, raw_images)"


_DEFAULT = """mutation($r: String! = "r1", $l: [String!]!) {
    a: terminateRun(runId: $r) { __typename }
    ...Others
}
fragment Others on Mutation {
    terminateRuns(runIds: $l) { __typename }
    cancelPartitionBackfill(backfillId: "b1") { __typename }
    reexecutePartitionBackfill(reexecutionParams: {parentRunId: "b2"}) { __typename }
    launchRunReexecution(reexecutionParams: {parentRunId: "r9"}) { __typename }
}"""


def test_whose_runs_a_deed_disturbs_is_found_however_they_are_named() -> None:
    variables = {"l": ["r2", "r3"]}
    question = Question(query=_DEFAULT, variables=variables, operation=None, others={})

    assert question.deed.disturbs
    assert question.disturbed == {"r1", "r2", "r3", "b1", "b2"}
    told = question.refused("because")
    assert told["a"] == {"__typename": "UnauthorizedError", "message": "because"}
    assert told["terminateRuns"]["terminateRunResults"] == [told["a"]] * 2


def test_graphql_executes_the_operation_that_was_judged(schema: GraphQLSchema) -> None:
    """Of several operations without a name none is executed."""
    document = parse("query A { version } query B { version }")

    for name in (None, "", "C"):
        assert execute_sync(schema, document, operation_name=name).data is None
