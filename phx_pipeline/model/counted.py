"""How many of a thing there are, in words: one property, two properties."""


def counted(count: int, noun: str) -> str:
    """Return *count* with *noun*, which is given for one: `2 rows of attempt`.

    What follows an "of" stays as it is.
    """
    head, of, rest = noun.partition(" of ")
    return f"{count} {head if count == 1 else _plural(head)}{of}{rest}"


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2:-1] not in set("aeiou"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"
