"""How hard a model is asked to think: in words, or in tokens."""


def effort_of(budget: int | None) -> str | None:
    """A thinking budget in tokens as the nearest effort."""
    if budget is None:
        return None
    return "none" if budget == 0 else "low" if budget <= 2048 else "medium" if budget <= 8192 else "high"
