"""What a GraphQL request does: read, launch, stop, or change something else.

Documents are read with the library Dagster itself reads them with: what is judged here
is what is executed there. Written for the mutations of
Dagster 1.13; one that is not named here is for admins.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import lru_cache
from typing import Any
from uuid import uuid4

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    parse,
    print_ast,
    value_from_ast_untyped,
)

from phx_pipeline.errors import InputError
from phx_pipeline.model.access import MOST_TARGET, Role
from phx_pipeline.model.counted import counted
from phx_pipeline.model.name_list import line_of_names
from phx_pipeline.service.launches import TAGS_OF, UserTag

_MOST_LETTERS = 200_000  # of a document: each is remembered, and slow to read
_MOST_TOKENS = 20_000  # the longest question of the UI has some thousands
_REMEMBERED = 256
_MOST_DEPTH = 200  # of a JSON value


class _Kind(Enum):
    """What a request is about; of several kinds the first one is what is told."""

    HOUSE = auto()
    RUN = auto()
    ASSET = auto()
    OTHER = auto()
    PLACE = auto()


# These repeat a backfill with the tags that it has: Dagster takes no others.
_REPEATS = {"resumePartitionBackfill", "reexecutePartitionBackfill"}
_LAUNCHES = {*TAGS_OF, *_REPEATS}
_STOPS = {
    "terminateRun",
    "terminateRuns",
    "terminatePipelineExecution",
    "cancelPartitionBackfill",
}
# The pages of the UI send these by themselves; they change nothing that people see.
_NOTHING = {"logTelemetry", "setNuxSeen"}
# What the words stand for that an argument of this name has.
_TARGETS = {
    "partitionNames": _Kind.HOUSE,
    "partitionKey": _Kind.HOUSE,
    "partitionKeys": _Kind.HOUSE,
    "runId": _Kind.RUN,
    "runIds": _Kind.RUN,
    "parentRunId": _Kind.RUN,
    "backfillId": _Kind.RUN,
    "path": _Kind.ASSET,
    "sensorName": _Kind.OTHER,
    "scheduleName": _Kind.OTHER,
    "jobName": _Kind.OTHER,
    "pipelineName": _Kind.OTHER,
    "concurrencyKey": _Kind.OTHER,
    "repositoryLocationName": _Kind.PLACE,
}
_PARENT = "parentRunId"
_CONFIG = "runConfigData"
_NO_CONFIG = {"", "{}", "null"}
# What Dagster answers before it has begun anything.
_BEGUN_NONE = {
    "InvalidStepError",
    "InvalidOutputError",
    "RunConfigValidationInvalid",
    "PipelineNotFoundError",
    "UnauthorizedError",
    "InvalidSubsetError",
    "PresetNotFoundError",
    "ConflictingExecutionParamsError",
    "NoModeProvidedError",
    "PartitionSetNotFoundError",
    "PartitionKeysNotFoundError",
}
_SEVERAL = "executionParamsList"
_PARTITION_TAG = "dagster/partition"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What a request does: whoever may do it, and the mutations it names."""

    role: Role
    mutations: tuple[str, ...] = ()

    @property
    def action(self) -> str:
        """The word of the audit trail; empty if nothing is changed."""
        changing = set(self.mutations) - _NOTHING
        if not changing:
            return ""
        if changing <= _STOPS:
            return "ui.terminate"
        return "ui.launch" if changing <= _LAUNCHES else "ui.change"

    @property
    def launches(self) -> bool:
        """Whether it starts runs that can be given tags."""
        return any(name in TAGS_OF for name in self.mutations)

    @property
    def disturbs(self) -> bool:
        """Whether it stops runs or backfills, or goes on with what was stopped."""
        return any(name in _STOPS | _REPEATS for name in self.mutations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request of GraphQL: one document, and which operation of it is executed."""

    query: str
    variables: Mapping[str, Any]
    operation: str | None
    others: Mapping[str, Any]

    @classmethod
    def read(cls, body: bytes) -> "Question":
        """Read the body of a request.

        Raises:
            InputError: it is not one object with one text `query`; several at once
                are not answered.
        """
        try:
            given = json.loads(body)
            found = dict(given) if isinstance(given, dict) else {}
            query, operation = (
                found.pop("query", None),
                found.pop("operationName", None),
            )
            variables = found.pop("variables", None)
            if isinstance(variables, str):  # Dagster takes them as text, too
                variables = json.loads(variables)
        except (ValueError, RecursionError) as error:
            raise InputError("the body is not JSON: send an object with `query`") from (
                error
            )
        is_one = isinstance(query, str) and isinstance(operation, str | None)
        if not (is_one and isinstance(variables, dict | None)):
            raise InputError(
                "send one JSON object with the text `query`, and `variables` as an "
                "object; several requests at once are not answered"
            )
        return cls(
            query=query, variables=variables or {}, operation=operation, others=found
        )

    @property
    def deed(self) -> Deed:
        """What it does; `InputError` if the document cannot be read."""
        return _deed(self.query, self.operation)

    @property
    def targets(self) -> str:
        """What it is about: houses and runs; of a request about none, what else.

        As many whole names as there is room for, and how many more there are.
        """
        named = self._named()
        work = [*named[_Kind.HOUSE], *named[_Kind.RUN]]
        rest = (named[kind] for kind in (_Kind.ASSET, _Kind.OTHER, _Kind.PLACE))
        return line_of_names(work or next(filter(None, rest), []), most=MOST_TARGET)

    @property
    def extent(self) -> str:
        """How many houses are concerned, and which of their assets; else empty."""
        named = self._named()
        houses, assets = named[_Kind.HOUSE], named[_Kind.ASSET]
        if not (houses and assets):
            return ""
        told = f"{counted(len(houses), 'house')}, {counted(len(assets), 'asset')}"
        return f"{told} ({', '.join(assets)})"

    def _named(self) -> Mapping[_Kind, list[str]]:
        """All words that it names, each once, by what they stand for."""
        every = [given for _, given in self._arguments()]
        found = list(dict.fromkeys(_targets(every, depth=0)))
        return {kind: [it for its, it in found if its is kind] for kind in _Kind}

    @property
    def disturbed(self) -> frozenset[str]:
        """The ids of the runs and backfills that it stops, or goes on with."""
        theirs = [
            given
            for field, given in self._arguments()
            if field.name.value in _STOPS | _REPEATS
        ]
        return frozenset(word for _, word in _targets(theirs, depth=0))

    @property
    def launches(self) -> int:
        """How many jobs it would start: one for each launch, by whatever alias.

        To go on with a backfill, or to repeat one, is a launch as well.
        """
        every = self._arguments() if self.deed.mutations else ()
        return sum(_launches(field.name.value, given) for field, given in every)

    @property
    def parents(self) -> frozenset[str]:
        """The ids of the runs that it would have executed again."""
        return frozenset(it for it in self._launched(_PARENT) if isinstance(it, str))

    @property
    def has_config(self) -> bool:
        """Whether it launches anything with a configuration of its own."""
        return any(
            it.strip() not in _NO_CONFIG if isinstance(it, str) else bool(it)
            for it in self._launched(_CONFIG)
        )

    def refused(self, why: str) -> dict[str, Any]:
        """What the UI reads of an answer that says *why* nothing of it is done."""
        told = {"__typename": "UnauthorizedError", "message": why}
        data: dict[str, Any] = {}
        for field, given in self._arguments():
            each: dict[str, Any] = told
            if field.name.value == "terminateRuns":  # it tells of each run by itself
                runs = list(_targets(given, depth=0))
                each = {
                    "__typename": "TerminateRunsResult",
                    "terminateRunResults": [told] * len(runs),
                }
            data[(field.alias or field.name).value] = each
        return data

    def body(self) -> bytes:
        """Return it as the body of a request: nothing else is executed."""
        found = {
            **self.others,
            "query": self.query,
            "variables": self.variables,
            "operationName": self.operation,
        }
        return json.dumps(found).encode()

    def tagged(self, user: str) -> "Question":
        """Return it with the tag `phx/user` on all that it launches.

        Raises:
            InputError: the arguments stand where no tag can be put to them.
        """
        document = parse(self.query)
        variables = json.loads(json.dumps(self.variables))
        for one in _executed(document, self.operation):
            tags = UserTag(
                user=user,
                launch=uuid4().hex,
                variables=variables,
                defaults=_defaults(one),
            )
            for launch in _root_fields(document, one.selection_set):
                tags.put(launch)
        return replace(self, query=print_ast(document), variables=variables)

    def _launched(self, name: str) -> Iterator[Any]:
        """What the arguments of its launches give by a name."""
        for field, given in self._arguments():
            if field.name.value in TAGS_OF:
                yield from _named(given, name, depth=0)

    def _arguments(self) -> Iterator[tuple[FieldNode, dict[str, Any]]]:
        """Each field at the top, with the arguments that it is given."""
        document = parse(self.query)
        for one in _executed(document, self.operation):
            values = {**_default_values(one), **self.variables}
            for each in _root_fields(document, one.selection_set):
                yield (
                    each,
                    {
                        it.name.value: value_from_ast_untyped(it.value, values)
                        for it in each.arguments
                    },
                )


def refused_launches(answer: bytes, launches: int) -> int:
    """How many of the *launches* of a request began nothing, as its answer tells.

    What is not told for certain was begun.
    """
    try:
        found = json.loads(answer)
        data, errors = found.get("data"), found.get("errors")
        if data is None:  # an error of what was executed names where
            is_refused = errors and all("path" not in each for each in errors)
            return launches if is_refused else 0
        kinds = [it.get("__typename") for it in data.values() if isinstance(it, dict)]
    except (ValueError, AttributeError, TypeError, RecursionError):
        return 0
    return sum(kind in _BEGUN_NONE for kind in kinds if isinstance(kind, str))


def is_subscription(query: str) -> bool:
    """Whether a document that comes over a WebSocket does nothing but listen.

    Dagster looks there for the first field among the subscriptions alone, and then
    executes the document for each event, as what it says it is: a mutation too.
    """
    try:
        document = _parsed(query)
    except InputError:
        return False
    return all(
        one.operation is OperationType.SUBSCRIPTION
        for one in document.definitions
        if isinstance(one, OperationDefinitionNode)
    )


@lru_cache(_REMEMBERED)
def _deed(query: str, operation: str | None) -> Deed:
    document = _parsed(query)
    executed = _executed(document, operation)
    if any(one.operation is OperationType.SUBSCRIPTION for one in executed):
        raise InputError("subscriptions are answered over a WebSocket alone")
    found = dict.fromkeys(
        each.name.value
        for one in executed
        if one.operation is OperationType.MUTATION
        for each in _root_fields(document, one.selection_set)
    )
    role = max(map(_role_of, found), default=Role.READER)
    return Deed(role=role, mutations=tuple(found))


def _parsed(query: str) -> DocumentNode:
    """Read a document; what cannot be read here must not be read there either."""
    if len(query) > _MOST_LETTERS:
        raise InputError(
            f"the query has {len(query)} letters, the most is {_MOST_LETTERS}: "
            "put what is long into the variables"
        )
    try:
        return parse(query, no_location=True, max_tokens=_MOST_TOKENS)
    except GraphQLError as error:
        raise InputError(f"the query cannot be read: {error.message}") from error
    except RecursionError as error:
        raise InputError("the query is nested too deeply: ask for less") from error


def _role_of(mutation: str) -> Role:
    if mutation in _NOTHING:
        return Role.READER
    return Role.OPERATOR if mutation in _LAUNCHES | _STOPS else Role.ADMIN


def _executed(
    document: DocumentNode, operation: str | None
) -> list[OperationDefinitionNode]:
    """The operations that may be executed: of the name, else all of them.

    Without a name a document has one, or Dagster refuses it; so it does where two have
    the same name.
    """
    return [
        one
        for one in document.definitions
        if isinstance(one, OperationDefinitionNode)
        and (operation is None or (one.name and one.name.value == operation))
    ]


def _root_fields(
    document: DocumentNode, selected: SelectionSetNode
) -> Iterator[FieldNode]:
    """The fields at the top, those in fragments too; an alias does not hide a name."""
    fragments = {
        one.name.value: one
        for one in document.definitions
        if isinstance(one, FragmentDefinitionNode)
    }
    waiting, seen = [selected], set[str]()
    while waiting:
        for each in waiting.pop().selections:
            if isinstance(each, FieldNode):
                yield each
            elif isinstance(each, InlineFragmentNode):
                waiting.append(each.selection_set)
            elif isinstance(each, FragmentSpreadNode):
                name = each.name.value
                if name in fragments and name not in seen:
                    seen.add(name)
                    waiting.append(fragments[name].selection_set)


def _launches(mutation: str, given: Mapping[str, Any]) -> int:
    if mutation not in _LAUNCHES:
        return 0
    several = given.get(_SEVERAL)
    return len(several) if isinstance(several, list) else 1


def _defaults(operation: OperationDefinitionNode) -> frozenset[str]:
    """The variables that have a value where none is given."""
    defined = operation.variable_definitions
    return frozenset(it.variable.name.value for it in defined if it.default_value)


def _default_values(operation: OperationDefinitionNode) -> dict[str, Any]:
    return {
        it.variable.name.value: value_from_ast_untyped(it.default_value)
        for it in operation.variable_definitions
        if it.default_value
    }


def _targets(value: Any, *, depth: int) -> Iterator[tuple[_Kind, str]]:
    if depth > _MOST_DEPTH:
        return
    if isinstance(value, list):
        for each in value:
            yield from _targets(each, depth=depth + 1)
    elif isinstance(value, dict):
        if value.get("key") == _PARTITION_TAG:
            yield _Kind.HOUSE, str(value.get("value"))
        for name, each in value.items():
            if kind := _TARGETS.get(name):
                yield from ((kind, word) for word in _words(each))
            else:
                yield from _targets(each, depth=depth + 1)


def _named(value: Any, name: str, *, depth: int) -> Iterator[Any]:
    """What stands under a name, anywhere in a value."""
    inner = value.values() if isinstance(value, dict) else value
    if depth > _MOST_DEPTH or not isinstance(value, dict | list):
        return
    if isinstance(value, dict) and name in value:
        yield value[name]
    for each in inner:
        yield from _named(each, name, depth=depth + 1)


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (each for each in value if isinstance(each, str))
