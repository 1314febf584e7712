"""Requirements such as `sales >= 5 and (english or german)`: parsed, never evaluated as Python.

A bare name asks for any level of that skill; a skill an agent lacks has level 0.  Names that are
no words are quoted: `"on-call" >= 3`.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from keyword import iskeyword
from typing import TypeAlias

from acd.types import AcdError

Skills: TypeAlias = Mapping[str, int]
Test: TypeAlias = Callable[[Skills], bool]
Number: TypeAlias = Callable[[Skills], int]

COMPARISONS: dict[type[ast.cmpop], Callable[[int, int], bool]] = {
    ast.GtE: operator.ge,
    ast.Gt: operator.gt,
    ast.LtE: operator.le,
    ast.Lt: operator.lt,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


class SkillError(AcdError):
    """The *administrator* wrote a requirement that cannot be understood; the text shows where."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """`text` as it was written, the `names` of skills in it, sorted, and the `test` itself."""

    text: str
    names: tuple[str, ...]
    test: Test

    def level(self, skills: Skills) -> int:
        """Sum of the levels of the skills asked for: how proficient somebody is for it."""
        return sum(skills.get(name, 0) for name in self.names)


@lru_cache(maxsize=4096)
def parse(text: str) -> Requirement:
    """Read a requirement; an empty one asks for nothing."""
    if not text.strip():
        return Requirement("", (), lambda _: True)
    if len(text) > 500:
        raise SkillError("a requirement may have 500 characters at most")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        names = {name for node in ast.walk(tree) if (name := _name(node))}
        return Requirement(text, tuple(sorted(names)), _test(tree, text))
    except (SyntaxError, ValueError, RecursionError):
        raise SkillError(f"{text!r} is not a requirement like `sales >= 5 and english`") from None


def at_least(name: str, level: int) -> str:
    """The requirement of one skill at a level."""
    word = name if name.isidentifier() and not iskeyword(name) else f'"{name}"'
    return f"{word} >= {level}"


def both(one: str, other: str) -> str:
    """The requirement that asks for both."""
    return f"({one}) and ({other})" if one and other else one or other


def _test(node: ast.expr, text: str) -> Test:
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            tests = [_test(value, text) for value in values]
            return lambda skills: all(test(skills) for test in tests)
        case ast.BoolOp(op=ast.Or(), values=values):
            tests = [_test(value, text) for value in values]
            return lambda skills: any(test(skills) for test in tests)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _test(operand, text)
            return lambda skills: not inner(skills)
        case ast.Compare():
            return _comparison(node, text)
        case ast.Name() | ast.Constant() if name := _name(node):
            return lambda skills: skills.get(name, 0) > 0
    raise SkillError(f"{ast.unparse(node)!r} in {text!r} is neither a skill nor a comparison")


def _name(node: ast.AST) -> str:
    """The skill that a word or a quoted text names, or nothing."""
    match node:
        case ast.Name(id=name) | ast.Constant(value=str() as name):
            return name
    return ""


def _comparison(node: ast.Compare, text: str) -> Test:
    numbers = [_number(side, text) for side in (node.left, *node.comparators)]
    links = []
    for sign, left, right in zip(node.ops, numbers, numbers[1:], strict=False):
        if type(sign) not in COMPARISONS:
            raise SkillError(f"{text!r}: skills are compared by >=, >, <=, <, == or !=")
        links.append((COMPARISONS[type(sign)], left, right))
    return lambda skills: all(holds(left(skills), right(skills)) for holds, left, right in links)


def _number(node: ast.expr, text: str) -> Number:
    match node:
        case ast.Constant(value=int() as level) if not isinstance(level, bool):
            return lambda _: level
        case ast.Name() | ast.Constant() if name := _name(node):
            return lambda skills: skills.get(name, 0)
    raise SkillError(f"{ast.unparse(node)!r} in {text!r} is neither a skill nor a level")
