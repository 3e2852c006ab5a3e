"""How money is written. Amounts are integer micro-dollars; no Django, no float."""

from decimal import Decimal

MICROS = 1_000_000
CENT = MICROS // 100


def exact(micros: int) -> str:
    """Return dollars with as many digits as it takes, two at least: $0.00, $0.000123, $1,200.50."""
    return _without_zeros(column(micros))


def column(micros: int) -> str:
    """Return dollars with all six digits, for columns of amounts: $1.200000, -$0.000001."""
    whole, fraction = divmod(abs(micros), MICROS)
    return f"{'-' if micros < 0 else ''}${whole:,}.{fraction:06}"


def short(micros: int) -> str:
    """Return dollars and cents for a glance; below ten cents every digit counts: $1.20, $0.10, $0.001268."""
    return exact((micros + CENT // 2) // CENT * CENT if abs(micros) >= 10 * CENT else micros)


def decimal(micros: int) -> str:
    """Return dollars as a number with six decimals, for files: 1200.500000."""
    return f"{Decimal(micros) / MICROS:.6f}"


def plain(micros: int) -> str:
    """Return exact dollars as a number that people enter, two decimals at least: 1200.50, 0.000001."""
    return _without_zeros(decimal(micros))


def _without_zeros(text: str) -> str:
    whole, decimals = text.split(".")
    return f"{whole}.{decimals.rstrip('0'):0<2}"
