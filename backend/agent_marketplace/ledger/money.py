"""Money: an integer of nano-dollars (10^-9 USD), parsed and printed exactly, never through a float."""

from decimal import Decimal, InvalidOperation

import msgspec

NANO_PER_DOLLAR = 1_000_000_000
MAX_NANO = 10**18  # a billion dollars: leaves room in 64 bits for any sum of a few balances


class Money(msgspec.Struct, frozen=True, order=True):
    """An amount of `nano` (10^-9 USD); may be negative. Adds, subtracts, compares; prints like `0.0125`."""

    nano: int

    @classmethod
    def of(cls, dollars: "Decimal | int | str | float") -> "Money":
        """Parses dollars exactly; a float only through its shortest text. Raises ValueError."""
        if isinstance(dollars, bool):
            raise ValueError("a boolean is not an amount")  # noqa: TRY004  one error type for every bad amount
        if isinstance(dollars, str) and not dollars.isascii():  # Decimal reads the digits of every script
            raise ValueError(f"{dollars[:40]!r} is not an amount of dollars")
        try:
            amount = Decimal(str(dollars)) if isinstance(dollars, float) else Decimal(dollars)
            if not amount.is_finite() or abs(amount) > MAX_NANO // NANO_PER_DOLLAR:
                raise ValueError(f"{str(dollars)[:40]!r} is not an amount of dollars")
            if amount != amount.quantize(Decimal("1e-9")):
                raise ValueError(f"{str(dollars)[:40]!r} has more than 9 decimal places")
        except (InvalidOperation, TypeError):
            raise ValueError(f"{str(dollars)[:40]!r} is not an amount of dollars") from None
        return cls(int(amount.scaleb(9)))

    @property
    def decimal(self) -> Decimal:
        """Dollars without trailing zeros: `Decimal('0.0125')`, `Decimal('5')`."""
        whole, rest = divmod(abs(self.nano), NANO_PER_DOLLAR)
        text = f"{whole}.{rest:09d}".rstrip("0").rstrip(".")
        return Decimal(f"-{text}" if self.nano < 0 else text)

    def __str__(self) -> str:
        return f"{self.decimal:f}"

    def __add__(self, other: "Money") -> "Money":
        return Money(self.nano + other.nano)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.nano - other.nano)

    def __neg__(self) -> "Money":
        return Money(-self.nano)


def dollars(nano: int) -> Decimal:
    """Nano-dollars as the exact Decimal that replies print."""
    return Money(nano).decimal


def nano(amount: "Decimal | int | str | float") -> int:
    """Dollars to nano-dollars. Raises ValueError as `Money.of`."""
    return Money.of(amount).nano
