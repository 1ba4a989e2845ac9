"""Which countries goods pass between without a customs declaration."""

EUROPEAN_UNION = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
        *("IE", "IT", "LT", "LU", "LV", "MC", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    }
)
"""With Monaco, which is within its customs."""
UNIONS = (EUROPEAN_UNION, frozenset({"CH", "LI"}), frozenset({"US", "PR"}))


def crosses_customs(origin: str, destination: str) -> bool:
    return origin != destination and not any({origin, destination} <= union for union in UNIONS)
