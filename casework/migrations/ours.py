"""Which tables the migrations answer for."""


def is_ours(_object: object, name: str | None, type_: str, _reflected: bool, _compared: object) -> bool:
    """The task queue keeps its own tables."""
    return not (type_ == "table" and name is not None and name.startswith("procrastinate_"))
