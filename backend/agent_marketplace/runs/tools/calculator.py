"""Arithmetic for models that are bad at it: a parser of our own, exact where numbers are whole, fifty digits where they are not.

Nothing is evaluated but what the grammar knows, and nothing that it knows can run long: expressions, nesting, powers and
results are bounded.
"""

import decimal
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from agent_marketplace.runs.tools.base import Caller, Tool, ToolFailed, schema, text_of
from agent_marketplace.runs.types import Got

MOST_CHARACTERS = 1_000
_DEEPEST = 50
_MOST_BITS = 8_192
_DIGITS = 50
_TOKEN = re.compile(
    r"\s*(?:([0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,4})?|\.[0-9]+)|([a-z][a-z0-9_]*)|(\*\*|//|[-+*/%^(),]))"
)

Number = int | Decimal


class _Bad(Exception):
    """Words for what is wrong with an expression."""


def calculate(expression: str) -> str:
    """The value as text. Raises ToolFailed in words."""
    if len(expression) > MOST_CHARACTERS:
        raise ToolFailed(f"the expression is longer than {MOST_CHARACTERS} characters", "bad_arguments")
    context = decimal.Context(prec=_DIGITS, Emax=9_999, Emin=-9_999)
    with decimal.localcontext(context):
        try:
            return _shown(_Parser(expression).whole())
        except _Bad as bad:
            raise ToolFailed(str(bad), "bad_arguments") from None
        except (decimal.DivisionByZero, ZeroDivisionError):
            raise ToolFailed("division by zero", "bad_arguments") from None
        except (decimal.DecimalException, OverflowError):
            raise ToolFailed("the result is not a number that can be shown", "bad_arguments") from None


def _shown(value: Number) -> str:
    if isinstance(value, int):
        return str(value)
    if value == value.to_integral_value() and abs(value) < Decimal(10) ** 40:
        return str(int(value))
    return f"{value.normalize():f}" if -30 < value.adjusted() < 40 else str(value.normalize())


class _Parser:
    """Recursive descent: sum, product, unary, power, atom."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        place, text = 0, text.strip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise _Bad(f"can't read {text[place : place + 20]!r}")
            kind = "number" if found[1] else "name" if found[2] else "sign"
            self._tokens.append((kind, found[1] or found[2] or found[3]))
            place = found.end()
        self._place = 0
        self._depth = 0

    def whole(self) -> Number:
        if not self._tokens:
            raise _Bad("the expression is empty")
        value = self._sum()
        if self._place < len(self._tokens):
            raise _Bad(f"unexpected {self._tokens[self._place][1]!r}")
        return value

    def _sum(self) -> Number:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _Bad("nested too deep")
        value = self._product()
        while sign := self._take("+", "-"):
            other = self._product()
            value = _exact(value, other if sign == "+" else -other, lambda a, b: a + b)
        self._depth -= 1
        return value

    def _product(self) -> Number:
        value = self._unary()
        while sign := self._take("*", "/", "//", "%"):
            value = _times(sign, value, self._unary())
        return value

    def _unary(self) -> Number:
        minus = False
        while sign := self._take("+", "-"):
            minus ^= sign == "-"
        value = self._power()
        return -value if minus else value

    def _power(self) -> Number:
        base = self._atom()
        if not self._take("**", "^"):
            return base
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _Bad("nested too deep")
        exponent = self._unary()
        self._depth -= 1
        return _raised(base, exponent)

    def _atom(self) -> Number:
        kind, text = self._tokens[self._place] if self._place < len(self._tokens) else ("end", "the end")
        self._place += 1
        if kind == "number":
            return int(text) if text.isdigit() else Decimal(text)
        if kind == "name":
            return self._named(text)
        if text == "(":
            value = self._sum()
            self._close()
            return value
        raise _Bad(f"unexpected {text!r}")

    def _named(self, name: str) -> Number:
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        if name not in _FUNCTIONS or not self._take("("):
            raise _Bad(f"no such function: {name}; there are {', '.join(sorted(_FUNCTIONS))}, pi and e")
        given = [self._sum()]
        while self._take(","):
            given.append(self._sum())
        self._close()
        least, most, work = _FUNCTIONS[name]
        if not least <= len(given) <= most:
            raise _Bad(f"{name} takes {least} to {most} numbers")
        return _bounded(work(*given))

    def _take(self, *signs: str) -> str:
        if self._place < len(self._tokens) and self._tokens[self._place][0] == "sign":
            text = self._tokens[self._place][1]
            if text in signs:
                self._place += 1
                return text
        return ""

    def _close(self) -> None:
        if not self._take(")"):
            raise _Bad("a bracket is not closed")


def _exact(a: Number, b: Number, work: Callable[[Any, Any], Any]) -> Number:
    """Whole numbers stay whole; else both are decimals."""
    if isinstance(a, int) and isinstance(b, int):
        return _bounded(work(a, b))
    return _bounded(work(Decimal(a), Decimal(b)))


def _times(sign: str, a: Number, b: Number) -> Number:
    if sign == "*":
        return _exact(a, b, lambda x, y: x * y)
    if sign == "//":
        return _floor(_times("/", a, b)) if not (isinstance(a, int) and isinstance(b, int)) else a // b
    if sign == "%":
        if isinstance(a, int) and isinstance(b, int):
            return a % b
        return Decimal(a) - Decimal(b) * _floor(_times("/", a, b))
    if isinstance(a, int) and isinstance(b, int) and b and a % b == 0:
        return a // b
    return Decimal(a) / Decimal(b)


def _raised(base: Number, exponent: Number) -> Number:
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0:
        if max(base.bit_length(), 1) * exponent > _MOST_BITS and abs(base) > 1:
            raise _Bad("the power is too large")
        return int(base**exponent) if abs(base) > 1 else base ** (exponent % 2 + 2 if exponent else 0)
    return Decimal(base) ** Decimal(exponent)


def _bounded(value: Number) -> Number:
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise _Bad("a number is too large")
    if isinstance(value, Decimal) and not value.is_finite():
        raise _Bad("the result is not a number")
    return value


def _floor(value: Number) -> int:
    return _whole(value, decimal.ROUND_FLOOR)


def _whole(value: Number, rounding: str) -> int:
    if isinstance(value, Decimal) and value.adjusted() > 2_000:
        raise _Bad("a number is too large")
    return int(Decimal(value).to_integral_value(rounding=rounding)) if isinstance(value, Decimal) else value


def _rounded(value: Number, places: Number = 0) -> Number:
    if not isinstance(places, int) or not 0 <= places <= 30:
        raise _Bad("round takes 0 to 30 places")
    if isinstance(value, int):
        return value
    if not places:
        return _whole(value, decimal.ROUND_HALF_EVEN)
    return value.quantize(Decimal(1).scaleb(-places))


_FUNCTIONS: Mapping[str, tuple[int, int, Callable[..., Number]]] = {
    "sqrt": (1, 1, lambda x: Decimal(x).sqrt()),
    "abs": (1, 1, abs),
    "round": (1, 2, _rounded),
    "floor": (1, 1, _floor),
    "ceil": (1, 1, lambda x: _whole(x, decimal.ROUND_CEILING)),
    "min": (1, 50, lambda *xs: min(xs)),
    "max": (1, 50, lambda *xs: max(xs)),
    "sum": (1, 50, lambda *xs: sum(xs, 0)),
    "ln": (1, 1, lambda x: Decimal(x).ln()),
    "log10": (1, 1, lambda x: Decimal(x).log10()),
    "exp": (1, 1, lambda x: Decimal(x).exp()),
}
_CONSTANTS: Mapping[str, Number] = {
    "pi": Decimal("3.1415926535897932384626433832795028841971693993751"),
    "e": Decimal("2.7182818284590452353602874713526624977572470937000"),
}


class Calculator(Tool):
    """The tool."""

    name = "calculator"
    description = (
        "Computes an arithmetic expression exactly: + - * / // % ** ( ), sqrt, abs, round, floor, ceil, min, max, sum, ln, "
        "log10, exp, pi, e."
    )
    parameters = schema(
        {"expression": {"type": "string", "description": "For example (1234.5 * 3) / 7"}}, "expression"
    )

    async def run(self, given: Mapping[str, Any], _caller: Caller) -> Got:
        """Raises ToolFailed."""
        return Got(text=calculate(text_of(given, "expression", most=MOST_CHARACTERS)))
