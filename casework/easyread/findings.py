"""What the checker says of a text: which rule of easy French, where, why, and how to say it better.

The words are French and not in the catalogues: whoever writes the French reads French.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

RULES = {
    1: "Une seule idée par phrase",
    2: "La personne, puis l'action, puis le reste",
    3: "Une phrase par ligne",
    4: "Des signes simples",
    5: "Des phrases qui disent ce qui est",
    6: "Qui fait quoi",
    7: "Le présent",
    8: "On parle à la personne",
    9: "Un seul mot pour une chose",
    10: "Ni abréviation, ni mot de bureau",
    11: "Les mots de tous les jours",
    12: "Les nombres en chiffres",
    13: "Ni pourcentage, ni grand nombre",
    14: "Le mois en lettres",
    15: "Pas de signe spécial",
    16: "Des mots français",
    17: "Ni italique, ni majuscules",
    18: "Une mise en page simple",
    19: "Des couleurs qui se voient bien",
    20: "Un dessin, pas de note, deux niveaux de titres",
}
"""The twenty rules of easy-to-read French, in a few words each."""


class Level(enum.StrEnum):
    """An error is refused; a warning is for the writer to weigh."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, order=True)
class Finding:
    """One thing to say better. Lines and columns count from 1; the excerpt is what was found there."""

    line: int
    column: int
    rule: int
    level: Level
    excerpt: str
    message: str
    better: str

    def __str__(self) -> str:
        """As the command prints it, after the file: `12: error 4: why. Mieux : how`."""
        said = f" : « {self.excerpt} »" if self.excerpt else ""
        return f"{self.line}: {self.level} {self.rule}: {self.message}{said}. Mieux : {self.better}."
