"""Makes small mistakes in the code with cosmic-ray, for `development/mutation.py`.

This runs in an environment of its own, `.venv/mutation`, and prints a line of JSON for each
mistake: python -m development.mutants SEED FILE...
"""

import ast
from collections.abc import Iterable, Iterator
import difflib
import json
from pathlib import Path
import random
import re
import sys
from typing import Any, override

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator
import parso

# Of cosmic-ray's operators, those that make mistakes which people make, too.
OPERATORS = (
    *(
        f"ReplaceBinaryOperator_{pair}"
        for pair in ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Mul", "Mod_Mul")
    ),
    *(f"ReplaceBinaryOperator_{pair}" for pair in ("BitOr_BitAnd", "BitAnd_BitOr")),
    *(
        f"ReplaceComparisonOperator_{pair}"
        for pair in ("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is", "Lt_LtE", "Lt_GtE")
    ),
    *(
        f"ReplaceComparisonOperator_{pair}"
        for pair in ("LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt")
    ),
    "ReplaceUnaryOperator_Delete_USub",
    "ReplaceUnaryOperator_Delete_Not",
    "AddNot",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "NumberReplacer",
    "ZeroIterationForLoop",
)

type Position = tuple[int, int]
type Span = tuple[Position, Position]


class OwnOperator(Operator):  # type: ignore[misc]
    """An operator that cosmic-ray does not have."""

    @classmethod
    @override
    def examples(cls) -> tuple[()]:
        return ()


class DropOperand(OwnOperator):
    """Drops one of the operands of `and` or `or`."""

    @override
    def mutation_positions(self, node: Any) -> Iterator[Span]:
        if getattr(node, "type", "") in {"and_test", "or_test"}:
            for operand in node.children[::2]:
                yield operand.start_pos, operand.end_pos

    @override
    def mutate(self, node: Any, index: int) -> Any:
        first = max(2 * index - 1, 0)
        del node.children[first : first + 2]
        return node


class DropStatement(OwnOperator):
    """Drops a statement that does something, within a function."""

    @override
    def mutation_positions(self, node: Any) -> Iterator[Span]:
        if (
            getattr(node, "type", "") != "simple_stmt"
            or parso.python.tree.search_ancestor(node, "funcdef") is None
        ):
            return
        statement = node.children[0]
        if statement.type in {"string", "import_name", "import_from", "keyword"}:
            return
        if statement.type == "expr_stmt" and _is_new_name(statement):
            # Without it the next statement fails: every test notices.
            return
        yield statement.start_pos, statement.end_pos

    @override
    def mutate(self, node: Any, index: int) -> Any:
        first = node.children[0].get_first_leaf()
        node.children[0] = parso.python.tree.Keyword("pass", first.start_pos, first.prefix)
        return node


def _is_new_name(statement: Any) -> bool:
    """Return whether an assignment gives a local name its value."""
    target, sign = statement.children[:2]
    is_local = target.type == "name" or (
        target.type == "testlist_star_expr"
        and all(one.type != "trailer" for one in target.children)
    )
    return is_local and (sign.type == "annassign" or sign.get_code().strip() == "=")


class ReplaceIn(OwnOperator):
    """Replaces `in` with `not in` and the other way round."""

    @override
    def mutation_positions(self, node: Any) -> Iterator[Span]:
        if getattr(node, "type", "") != "comparison":
            return
        for operator in node.children[1::2]:
            if operator.get_code().split() in (["in"], ["not", "in"]):
                yield operator.start_pos, operator.end_pos

    @override
    def mutate(self, node: Any, index: int) -> Any:
        found = [
            place
            for place in range(1, len(node.children), 2)
            if node.children[place].get_code().split() in (["in"], ["not", "in"])
        ]
        operator = node.children[found[index]]
        new = " not in" if operator.get_code().split() == ["in"] else " in"
        node.children[found[index]] = parso.python.tree.Operator(new, operator.start_pos)
        return node


class DropException(OwnOperator):
    """Replaces an exception that is caught with a name that nobody knows.

    cosmic-ray's own operator of this kind fails at exceptions of other modules.
    """

    @override
    def mutation_positions(self, node: Any) -> Iterator[Span]:
        for parent, place in _caught(node):
            one = parent.children[place]
            yield one.start_pos, one.end_pos

    @override
    def mutate(self, node: Any, index: int) -> Any:
        parent, place = _caught(node)[index]
        first = parent.children[place].get_first_leaf()
        parent.children[place] = parso.python.tree.Name("Uncaught", first.start_pos, first.prefix)
        return node


def _caught(node: Any) -> list[tuple[Any, int]]:
    """Return where the exceptions of a clause are: their parents, and the places in these."""
    if getattr(node, "type", "") != "except_clause":
        return []
    parent = node
    while parent.children[1].type in {"atom", "testlist_comp"}:
        parent = parent.children[1]
        if parent.type == "testlist_comp":
            return [(parent, place) for place in range(0, len(parent.children), 2)]
    return [(parent, 1)]


def operators() -> dict[str, Operator]:
    """Return the operators by name."""
    own = {one.__name__: one() for one in (DropException, DropOperand, DropStatement, ReplaceIn)}
    return {name: get_operator(f"core/{name}")() for name in OPERATORS} | own


def left_out(source: str) -> list[Span]:
    """Return the parts in which a mistake changes nothing that users see: types and messages."""
    spans: list[Span] = []
    for node in ast.walk(ast.parse(source)):
        parts: list[ast.AST | None] = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parts += [node.returns, *node.type_params]
        elif isinstance(node, ast.arg | ast.AnnAssign):
            parts.append(node.annotation)
        elif isinstance(node, ast.TypeAlias | ast.ImportFrom | ast.Import) or (
            isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        ):
            parts.append(node)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name == "cast":
                parts.append(node.args[0])
            elif name in {"_LOGGER.debug", "_LOGGER.info"}:
                parts.append(node)
        elif isinstance(node, ast.keyword) and node.arg in {"slots", "kw_only"}:
            parts.append(node)
        spans += [
            ((one.lineno, one.col_offset), (one.end_lineno or 0, one.end_col_offset or 0))
            for one in parts
            if isinstance(one, ast.expr | ast.stmt | ast.type_param | ast.keyword)
        ]
    return spans


def mistakes(path: str, seed: str) -> Iterator[dict[str, Any]]:
    """Yield a module's mutants, in an order that depends on the seed alone."""
    # parso does not know yet that several exceptions need no parentheses.
    source = re.sub(
        r"^(\s*except )([^(:\n]+,[^(:\n]+):",
        r"\1(\2):",
        Path(path).read_text("utf-8"),
        flags=re.MULTILINE,
    )
    spans = left_out(source)
    places: list[tuple[str, int, Position]] = []
    all_operators = operators()
    for name, operator in all_operators.items():
        occurrence = 0
        for node in ast_nodes(get_ast(source)):
            for start, _ in operator.mutation_positions(node):
                if not any(first <= start < last for first, last in spans):
                    places.append((name, occurrence, start))
                occurrence += 1
    random.Random(f"{seed} {Path(path).name}").shuffle(places)  # noqa: S311 - the same each time
    seen: set[str] = set()
    for name, occurrence, (line, _) in places:
        mutated = mutate_code(source, all_operators[name], occurrence)
        if mutated is None or mutated in seen or not _differs(source, mutated):
            continue
        seen.add(mutated)
        before, after, lines = _difference(source, mutated)
        yield {
            "path": path,
            "line": line,
            "lines": lines,
            "operator": name,
            "before": before,
            "after": after,
            "source": mutated,
        }


def _differs(source: str, mutated: str) -> bool:
    """Return whether a mutant is a program, and another one."""
    try:
        return ast.dump(ast.parse(source)) != ast.dump(ast.parse(mutated))
    except SyntaxError:
        return False


def _difference(source: str, mutated: str) -> tuple[str, str, list[int]]:
    """Return the changed lines before and after, and their numbers."""
    before: list[str] = []
    after: list[str] = []
    numbers: list[int] = []
    old, new = source.splitlines(), mutated.splitlines()
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if tag != "equal":
            before += [line.strip() for line in old[old_start:old_end]]
            after += [line.strip() for line in new[new_start:new_end]]
            numbers += range(old_start + 1, max(old_end, old_start + 1) + 1)
    return " ".join(before), " ".join(after), numbers


def main(seed: str, paths: Iterable[str]) -> None:
    """Print all mutants of some files, one a line."""
    for path in paths:
        for mistake in mistakes(path, seed):
            print(json.dumps(mistake))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
