"""Who launches: the tag `phx/user` on the runs that a GraphQL mutation starts.

Such a run is of no job, whatever tags are sent: `launch_tags` tells which stay.

Written for the mutations of Dagster 1.13. What may be launched is decided elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from graphql import FieldNode, ValueNode, value_from_ast_untyped
from graphql.language import (
    ListValueNode,
    NameNode,
    ObjectFieldNode,
    ObjectValueNode,
    StringValueNode,
    VariableNode,
)

from phx_pipeline.errors import InputError
from phx_pipeline.model.job import LAUNCH_TAG, USER_TAG
from phx_pipeline.service.launch_tags import is_chosen

_LISTS = {"executionParamsList", "tags", "extraTags"}
_INLINE = "give what is launched in the variables, as the UI does"

# Where the tags of what a mutation launches stand, by its arguments.
_EXECUTION = ("executionMetadata", "tags")
TAGS_OF: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "launchRun": {"executionParams": _EXECUTION},
    "launchPipelineExecution": {"executionParams": _EXECUTION},
    "launchMultipleRuns": {"executionParamsList": _EXECUTION},
    "launchRunReexecution": {
        "executionParams": _EXECUTION,
        "reexecutionParams": ("extraTags",),
    },
    "launchPipelineReexecution": {
        "executionParams": _EXECUTION,
        "reexecutionParams": ("extraTags",),
    },
    "launchPartitionBackfill": {"backfillParams": ("tags",)},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UserTag:
    """Puts `phx/user` to where it belongs, in the document or in the variables.

    Attributes:
        user: Who asks.
        launch: Another text for each request.
        variables: Of the request; they are changed.
        defaults: The variables that have a value where none is given.
    """

    user: str
    launch: str
    variables: dict[str, Any]
    defaults: frozenset[str]

    def put(self, launch: FieldNode) -> None:
        """Put it to all that *launch* starts; nothing to what starts no run.

        Raises:
            InputError: the arguments stand where no tag can be put to them.
        """
        where = TAGS_OF.get(launch.name.value, {})
        for argument in launch.arguments:
            name, value = argument.name.value, argument.value
            if name in where and not self._is_left_out(value):
                argument.value = self._in_node(value, (name, *where[name]))

    def _is_left_out(self, node: ValueNode) -> bool:
        """Whether nothing is given, as one of the two ways to execute again."""
        return self._is_unset(node) and node.name.value not in self.defaults

    def _is_unset(self, node: ValueNode) -> TypeGuard[VariableNode]:
        """Whether it is a variable of which the request does not tell the value."""
        return isinstance(node, VariableNode) and (
            node.name.value not in self.variables
        )

    def _in_node(self, node: ValueNode, path: tuple[str, ...]) -> ValueNode:
        """Return *node*, the value of the first name of *path*, with the tag in it."""
        if isinstance(node, VariableNode):
            name = node.name.value
            if name not in self.variables:  # its default is not looked at
                raise InputError(f"variable ${name} has no value: {_INLINE}")
            self.variables[name] = self._in_value(self.variables[name], path)
            return node
        if path[0] in _LISTS:
            return self._in_list_node(node, path)
        if not isinstance(node, ObjectValueNode):
            raise InputError(f"{path[0]} is no object: {_INLINE}")
        fields = {each.name.value: each for each in node.fields}
        inner = path[1]
        if inner in fields:
            fields[inner].value = self._in_node(fields[inner].value, path[1:])
        else:
            node.fields = (*node.fields, _field(inner, self._new_node(path[1:])))
        return node

    def _in_list_node(self, node: ValueNode, path: tuple[str, ...]) -> ValueNode:
        if not isinstance(node, ListValueNode):
            raise InputError(f"{path[0]} is no list: {_INLINE}")
        if len(path) > 1:  # a list of things that have tags
            node.values = tuple(self._in_element(each, path) for each in node.values)
            return node
        kept = [each for each in node.values if not self._is_own_node(each)]
        node.values = (*kept, *self._tag_nodes())
        return node

    def _in_element(self, node: ValueNode, path: tuple[str, ...]) -> ValueNode:
        return self._in_node(node, ("", *path[1:]))

    def _is_own_node(self, node: ValueNode) -> bool:
        if isinstance(node, VariableNode):
            raise InputError(f"a tag is a variable: {_INLINE}")
        fields = node.fields if isinstance(node, ObjectValueNode) else ()
        if any(self._is_unset(each.value) for each in fields):
            raise InputError(f"a part of a tag is a variable without value: {_INLINE}")
        return _is_own_tag(value_from_ast_untyped(node, self.variables))

    def _new_node(self, path: tuple[str, ...]) -> ValueNode:
        if len(path) == 1:
            return ListValueNode(values=self._tag_nodes())
        return ObjectValueNode(fields=(_field(path[1], self._new_node(path[1:])),))

    @property
    def _tags(self) -> list[dict[str, str]]:
        told = {USER_TAG: self.user, LAUNCH_TAG: self.launch}
        return [{"key": key, "value": value} for key, value in told.items()]

    def _tag_nodes(self) -> tuple[ValueNode, ...]:
        return tuple(
            ObjectValueNode(
                fields=tuple(
                    _field(name, StringValueNode(value=it)) for name, it in tag.items()
                )
            )
            for tag in self._tags
        )

    def _in_value(self, value: Any, path: tuple[str, ...]) -> Any:
        """As `_in_node`, for a value of JSON."""
        if path[0] in _LISTS:
            return self._in_list(value, path)
        if value is None and path[0] in {"executionParams", "reexecutionParams"}:
            return None  # one of the two is given
        if not isinstance(value, dict | None):
            raise InputError(f"{path[0]} is no object: {_INLINE}")
        found = dict(value or {})
        return {**found, path[1]: self._in_value(found.get(path[1]), path[1:])}

    def _in_list(self, value: Any, path: tuple[str, ...]) -> list[Any]:
        # One alone stands for a list of it.
        found = value if isinstance(value, list) else [value] if value else []
        if len(path) > 1:
            return [self._in_value(each, ("", *path[1:])) for each in found]
        kept = [it for it in found if not _is_own_tag(it)]
        return [*kept, *self._tags]


def _is_own_tag(value: Any) -> bool:
    return isinstance(value, dict) and not is_chosen(value)


def _field(name: str, value: ValueNode) -> ObjectFieldNode:
    return ObjectFieldNode(name=NameNode(value=name), value=value)
