"""YAML that people without a developer edit: what is wrong in a file is said with its line (requirement E6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from casework.settings import ROOT


class FileError(Exception):
    """Files are wrong; each of `problems` reads `file:line: what is expected`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass
class Sheet:
    """A file being read; what is wrong in it goes to `problems`, and reading goes on."""

    path: Path
    problems: list[str]
    root: Node | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Read the file; one that is missing or is no YAML is a problem like another."""
        try:
            self.root = yaml.compose(self.path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except FileNotFoundError:
            self.wrong(None, "this file is missing.")
        except yaml.YAMLError as error:
            self.wrong(None, f"not YAML: {' '.join(str(error).split())}.")

    def wrong(self, where: Node | None, message: str) -> None:
        """Add a problem at the line where a value begins."""
        line = where.start_mark.line + 1 if where is not None else 1
        shown = self.path.relative_to(ROOT) if self.path.is_relative_to(ROOT) else self.path
        self.problems.append(f"{shown}:{line}: {message}")

    def rows(self, node: Node | None, *needed: str) -> dict[str, Node]:
        """The values of a mapping by their names; those of `needed` must be there, and none twice."""
        found: dict[str, Node] = {}
        if isinstance(node, MappingNode):
            for key, value in node.value:
                if key.value in found:
                    self.wrong(key, f"“{key.value}” stands here twice.")
                found[str(key.value)] = value
        elif node is not None:
            self.wrong(node, "names with their values are expected here.")
        for name in needed:
            if name not in found:
                self.wrong(node, f"{name} is missing.")
        return found

    def words(self, node: Node | None) -> str:
        """A text that is not empty."""
        if node is None:
            return ""
        words = str(node.value).strip() if isinstance(node, ScalarNode) else ""
        if not words:
            self.wrong(node, "a text is expected here.")
        return words

    def number(self, node: Node | None, most: int | None = None) -> int:
        """A whole number from 1, `most` at most; 0 when it is none."""
        if node is None:
            return 0
        digits = str(node.value) if isinstance(node, ScalarNode) else ""
        number = int(digits) if digits.isascii() and digits.isdigit() else 0
        if number < 1 or (most is not None and number > most):
            self.wrong(node, f"a whole number from 1{f' to {most}' if most else ''} is expected here.")
            return 0
        return number

    def same_names(self, node: Node | None, rows: Mapping[str, object], french: Mapping[str, object]) -> None:
        """A translation has the names that the French has, no more and no less."""
        for name in french.keys() - rows.keys():
            self.wrong(node, f"“{name}” is not translated.")
        for name in rows.keys() - french.keys():
            where = rows[name]
            self.wrong(where if isinstance(where, Node) else node, f"the French has no “{name}”.")
