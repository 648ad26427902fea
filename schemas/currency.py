"""The currency of the operator: its names, and how many decimals people read."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

DECIMALS = 6  # of an exact amount


@dataclass(frozen=True)
class Currency:
    """A currency; all money of a configuration is in one.

    - `code`: as in ISO 4217;
    - `unit`: its name on pages, as the unit of columns and in messages;
    - `name`: its name in texts for customers;
    - `minor_unit`: the decimals of an amount that people read;
    - `signs`: what may stand beside an amount of a price list, apart from code and names.
    """

    code: str
    unit: str
    name: str
    minor_unit: int
    signs: tuple[str, ...] = ()

    @property
    def noted(self) -> dict[str, str]:
        """What tables and manifests say of their currency; those in yuan say nothing."""
        return {} if self.code == YUAN.code else {"currency": self.code}

    def worded(self, text: str) -> str:
        """A text of contracts and shapes in this currency; they are written with yuan and 元."""
        return text.replace(YUAN.unit, self.unit).replace(YUAN.name, self.name)

    def rounded(self, amount: Decimal) -> Decimal:
        """The amount as people read it, rounded half up; never -0."""
        return amount.quantize(Decimal(1).scaleb(-self.minor_unit), ROUND_HALF_UP) + 0

    def exact(self, amount: Fraction) -> str:
        """The amount as text with the decimals that it needs, at least those that people read.

        At most DECIMALS, rounded half up.
        """
        half = Fraction(1 if amount >= 0 else -1, 2)
        text = f"{Decimal(int(amount * 10**DECIMALS + half)).scaleb(-DECIMALS):.{DECIMALS}f}"
        whole, decimals = text.split(".")
        decimals = decimals[: self.minor_unit] + decimals[self.minor_unit :].rstrip("0")
        return f"{whole}.{decimals}" if decimals else whole


YUAN = Currency("CNY", "yuan", "元", 2, ("¥", "RMB"))
