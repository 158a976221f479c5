"""A variable of a model as it stands in the formula: a column, or arithmetic and functions of columns in R's notation."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from reports.stats.times import Floats

FUNCTIONS: dict[str, Callable[[Floats], Floats]] = {
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "abs": np.abs,
    "I": lambda values: values,
    "as.numeric": lambda values: values,
}
FACTORS = ("factor", "as.factor")
ARITHMETIC: dict[type[ast.operator], Callable[[Floats, Floats], Floats]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
BLANKS = "+-*"
NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
TOKEN = re.compile(rf"\s*(?:({NUMBER})|([A-Za-z.][\w.]*)|(\S))")
# Python's grammar reads R's arithmetic, once names have no dots and powers are written its way.
PLACEHOLDER = "name{}"


@dataclass(frozen=True)
class Variable:
    """One variable of a term: `label` as R writes it, the columns it reads, whether it makes a factor of one."""

    label: str
    columns: tuple[str, ...]
    is_factor: bool
    tree: ast.expr = field(repr=False)
    names: dict[str, str] = field(repr=False)

    @property
    def is_column(self) -> bool:
        """Whether it is a column as it stands."""
        return isinstance(self.tree, ast.Name)

    def evaluate(self, number_of: Callable[[str], Floats]) -> Floats:
        """Its values; what is not defined (the log of a negative) is NaN or infinite."""
        with np.errstate(all="ignore"):
            return _evaluated(self.tree, self.names, number_of)


def variable(text: str) -> Variable:
    """The variable of this text.

    Raises:
        ValueError: It is no column, and no function of columns that is known here.
    """
    fault = ValueError(f"the term {text!r} is not understood")
    names: dict[str, str] = {}
    written = []
    tokens = TOKEN.findall(text)
    for number, name, other in tokens:
        if name:
            placeholder = PLACEHOLDER.format(len(names))
            names[placeholder] = name
            written.append(placeholder)
        else:
            written.append(number or other.replace("^", "**"))
    try:
        tree = ast.parse(" ".join(written), mode="eval").body
        columns = tuple(dict.fromkeys(_columns(tree, names)))
    except (SyntaxError, KeyError):
        raise fault from None
    is_factor = isinstance(tree, ast.Call) and _function(tree, names) in FACTORS
    if not columns or not isinstance(tree, ast.Name | ast.Call):
        raise fault
    return Variable(_label(tokens), columns, is_factor, tree, names)


def _function(call: ast.Call, names: dict[str, str]) -> str:
    """The name of a function; KeyError for a form that is not known."""
    if call.keywords or len(call.args) != 1 or not isinstance(call.func, ast.Name):
        raise KeyError(ast.dump(call))
    name = names[call.func.id]
    if name in FACTORS and isinstance(call.args[0], ast.Name):
        return name
    if name not in FUNCTIONS:
        raise KeyError(name)
    return name


def _columns(tree: ast.expr, names: dict[str, str]) -> list[str]:
    match tree:
        case ast.Name():
            return [names[tree.id]]
        case ast.Constant(value=int() | float()):
            return []
        case ast.Call():
            _function(tree, names)
            return _columns(tree.args[0], names)
        case ast.UnaryOp(op=ast.USub()):
            return _columns(tree.operand, names)
        case ast.BinOp() if type(tree.op) in ARITHMETIC:
            return _columns(tree.left, names) + _columns(tree.right, names)
    raise KeyError(ast.dump(tree))


def _label(tokens: list[tuple[str, str, str]]) -> str:
    """The expression as R's deparse writes it: its own parentheses, blanks around signs but those of a division."""
    written = ""
    after_value = False
    for number, name, other in tokens:
        if number:
            written += _number(float(number))
        elif other in BLANKS and after_value:
            written += f" {other} "
        else:
            written += name or other
        after_value = bool(number or name) or other == ")"
    return written


def _number(value: float) -> str:
    """A number as R writes it: with 15 digits, and with a power of ten where that is shorter."""
    digits, power = f"{value:.14e}".split("e")
    short = f"{digits.rstrip('0').rstrip('.')}e{power}"
    plain = f"{value:.15f}".rstrip("0").rstrip(".") if abs(value) < 1 else f"{value:.15g}"
    return short if len(short) < len(plain) else plain


def _evaluated(tree: ast.expr, names: dict[str, str], number_of: Callable[[str], Floats]) -> Floats:
    match tree:
        case ast.Name():
            return number_of(names[tree.id])
        case ast.Constant():
            return np.asarray(tree.value, dtype=np.float64)
        case ast.Call():
            values = _evaluated(tree.args[0], names, number_of)
            return np.asarray(FUNCTIONS[_function(tree, names)](values), dtype=np.float64)
        case ast.UnaryOp():
            return np.asarray(-_evaluated(tree.operand, names, number_of))
        case ast.BinOp():
            left = _evaluated(tree.left, names, number_of)
            right = _evaluated(tree.right, names, number_of)
            return np.asarray(ARITHMETIC[type(tree.op)](left, right), dtype=np.float64)
    raise KeyError(ast.dump(tree))
