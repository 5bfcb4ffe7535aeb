"""Easy French, rule by rule: a sentence that is refused or doubted, and a better one that passes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.easyread import RULES, Finding, Kind, Level, check, report
from casework.easyread.__main__ import acronyms, main
from casework.easyread.clauses import is_future, length
from casework.easyread.lexicon import is_rare
from casework.easyread.measure import kandel_moles, syllables
from casework.settings import ROOT

ERROR, WARNING = Level.ERROR, Level.WARNING
KNOWN = {"RSA": "revenu de solidarité active", "CAF": "caisse d'allocations familiales"}

STORIES = [
    (1, ERROR, "Si vous avez 25 ans ou plus et si vous vivez en France avec peu d'argent, vous pouvez demander.",
     "Vous avez peu d'argent ?"),
    (1, WARNING, "Vous recevez une lettre et vous gardez la lettre.", "Vous gardez la lettre."),
    (1, WARNING, "La mairie donne un papier qui montre votre adresse.", "Ce papier montre votre adresse."),
    (1, WARNING, "Vous appelez la mairie, l'école, le médecin, la banque.", "Vous appelez la mairie."),
    (1, WARNING, "Vous montrez le papier parce que nous regardons votre adresse.", "Nous regardons votre adresse."),
    (2, WARNING, "Pour une première demande de logement, vous allez à la mairie.", "Vous allez à la mairie."),
    (2, WARNING, "Peuvent venir les parents.", "Les parents peuvent venir."),
    (5, WARNING, "Vous ne payez pas le médecin.", "Le médecin est gratuit."),
    (5, WARNING, "Tout le monde peut venir, sauf les enfants.", "Les adultes peuvent venir."),
    (6, WARNING, "L'argent est donné chaque mois par la mairie.", "La mairie donne l'argent chaque mois."),
    (6, WARNING, "La lettre a été écrite hier.", "Le juge a écrit la lettre hier."),
    (7, WARNING, "Il faut que vous veniez.", "Vous devez venir."),
    (7, WARNING, "Appelez pour que le médecin vienne.", "Appelez. Le médecin vient."),
    (7, WARNING, "Une personne ayant un enfant reçoit plus.", "Une personne avec un enfant reçoit plus."),
    (7, WARNING, "Vous recevrez une lettre.", "Vous recevez une lettre."),
    (7, WARNING, "Vous aviez un travail.", "Vous avez perdu votre travail."),
    (8, WARNING, "L'usager apporte une photo.", "Vous apportez une photo."),
    (8, WARNING, "Apporte ta photo.", "Apportez votre photo."),
    (8, WARNING, "La mairie t'aide.", "La mairie vous aide."),
    (8, WARNING, "T’a-t-il fait peur ?", "Vous a-t-il fait peur ?"),
    (8, WARNING, "Le médecin te soigne.", "Le médecin vous soigne."),
    (8, WARNING, "As-tu une photo ?", "Avez-vous une photo ?"),
    (4, ERROR, "Vous avez faim ; nous sommes là.", "Vous avez faim ? Nous sommes là."),
    (4, ERROR, "Votre enfant (avant 3 ans) va à la crèche.", "Votre enfant va à la crèche avant 3 ans."),
    (4, ERROR, "La mairie – elle est gratuite – vous aide.", "La mairie vous aide."),
    (4, ERROR, "Une lettre, une facture…", "Une lettre ou une facture."),
    (10, ERROR, "Demandez la PCH.", "Demandez une aide pour le handicap."),
    (10, ERROR, "Apportez vos papiers, ex. une facture.", "Apportez un papier, par exemple une facture."),
    (10, ERROR, "Prenez un rdv.", "Prenez un rendez-vous."),
    (10, ERROR, "Rdv à la mairie.", "Rendez-vous à la mairie."),
    (10, ERROR, "Prenez un R.d.v. à la mairie.", "Prenez un rendez-vous à la mairie."),
    (10, ERROR, "La mairie ouvre à 9h30.", "La mairie ouvre à 9 heures 30."),
    (10, ERROR, "Appelez Mme Martin.", "Appelez Madame Martin."),
    (10, WARNING, "Vous percevez une aide.", "Vous recevez une aide."),
    (10, WARNING, "Veuillez fournir une photo.", "Donnez une photo."),
    (11, WARNING, "Demandez une domiciliation.", "Demandez une adresse."),
    (11, WARNING, "Payez la quittance.", "Payez le loyer."),
    (12, ERROR, "Vous avez trois enfants.", "Vous avez 3 enfants."),
    (12, ERROR, "Vous avez vingt et un jours.", "Vous avez 21 jours."),
    (12, ERROR, "Lisez la partie IV.", "Lisez la partie 4."),
    (13, ERROR, "Vous payez 30 % du loyer.", "Vous payez une petite partie du loyer."),
    (13, ERROR, "L'aide est de 1 200 euros.", "L'aide est de 300 euros."),
    (13, ERROR, "Cela aide 25000 personnes.", "Cela aide beaucoup de personnes."),
    (14, ERROR, "Venez le 12/03/2026.", "Venez le 12 mars 2026."),
    (14, ERROR, "Venez le 12 sept. à midi.", "Venez le 12 septembre à midi."),
    (14, ERROR, "La date est le 2026-03-12.", "La date est le 12 mars 2026."),
    (15, ERROR, "Le père & la mère viennent.", "Le père et la mère viennent."),
    (15, ERROR, "Vous avez + de 60 ans.", "Vous avez plus de 60 ans."),
    (15, ERROR, "Le père et/ou la mère viennent.", "Le père ou la mère viennent."),
    (15, ERROR, "Les habitant·es peuvent venir.", "Les habitants peuvent venir."),
    (16, WARNING, "Lisez notre newsletter.", "Lisez notre lettre."),
    (16, WARNING, "Écrivez via le site.", "Écrivez sur le site."),
    (17, WARNING, "ATTENTION À LA DATE", "Attention à la date"),
    (18, WARNING, "Apportez vos docu\N{SOFT HYPHEN}ments.", "Apportez vos papiers."),
]  # fmt: skip

PAGE_STORIES = [
    (3, ERROR, "Vous avez faim ? Appelez la mairie.", "Vous avez faim ?\nAppelez la mairie."),
    (3, ERROR, "Vous allez à la mairie\navec une photo.", "Vous allez à la mairie avec une photo."),
    (9, WARNING, "Apportez un papier.\nGardez le document.", "Apportez un papier.\nGardez le papier."),
    (10, ERROR, "Demandez le RSA.", "**RSA** : une aide de chaque mois.\nDemandez le RSA."),
    (17, WARNING, "Venez *tout de suite* ici.", "Venez tout de suite ici."),
    (18, WARNING, "| Jour | Heure |", "- lundi à 9 heures"),
    (18, WARNING, "Apportez les rensei-\ngnements.", "Apportez les papiers."),
    (19, WARNING, '<span style="color: red">Attention</span>', "Attention"),
    (20, WARNING, "### Une petite partie", "## Une partie"),
    (20, WARNING, "Venez ici[^1].", "Venez ici."),
    (20, WARNING, "---\ntitle: Manger\n---\nVenez.", "---\ntitle: Manger\npictogram: food\n---\nVenez."),
]

GOOD = """\
Vous avez besoin d'aide ?
Vous habitez dans ce département.
Vous avez un enfant de moins de 3 ans.
Vous vivez seul avec vos enfants.
Vous avez perdu votre travail.
Vous avez mal.
Vous dormez dehors.
Une personne vous fait peur.
Appelez le 115.
Appelez le 06 12 34 56 78.
Nous répondons le jour et la nuit.
L'appel est gratuit.
Venez à la mairie avec vos papiers.
Apportez une photo.
Apportez votre carte d'identité.
Apportez une facture de gaz.
Écrivez votre nom et votre adresse.
Écrivez dans votre langue.
Donnez votre numéro de téléphone.
Gardez la lettre.
Gardez une photo de la lettre.
Lisez la lettre avec nous.
Nous lisons la lettre avec vous.
Nous gardons le secret.
C'est la loi.
Le médecin vous soigne.
Le juge écoute les deux.
La mairie donne une adresse.
La banque ouvre un compte.
L'aide dure 6 mois.
L'aide commence le 1er mars 2026.
Vous recevez de l'argent chaque mois.
Vous payez le loyer le 5 du mois.
Demandez le RSA.
Envoyez une photo par SMS.
Répondez avant le 12 novembre.
Votre rendez-vous est le mardi 17 novembre à 14:30.
Y a-t-il une photo ?
Le maire va-t-il venir ?
Attendez ici, la table est là.
Les enfants mangent à la cantine.
Regardez le site www.caf.fr.
Ouvrez ce lien : https://aide.example.org/fr/s/abc?d=1&e=2
Votre numéro : %(number)s
Appelez %(name)s au %(phone)s.
"""

EASY = {
    "who": [
        "Vous",
        "Nous",
        "Les parents",
        "Votre enfant",
        "La mairie",
        "Le médecin",
        "Votre famille",
        "Amina",
    ],
    "does": ["demande", "donne", "garde", "apporte", "cherche", "montre", "prépare", "regarde", "trouve"],
    "what": ["une lettre", "un papier", "une photo", "de l'aide", "un repas", "une adresse", "le numéro 12"],
    "when": ["", " le matin", " le 3 mai 2026", " avec vous", " à la maison", " chaque mois", " à 9 heures"],
}
SIGNS = (
    "le vous ne pas 12/03 1 500 50 % ; ( ) [mot](rights:x) <!-- --> easyread: 4 because --- {amount:x} %(day)s {{ x }} "
    "{% if %} RSA, qui . - ! ? * _ title: \" ' n° 14:30 … XIV deux **RSA** : | <b> ## [^1] \N{SOFT HYPHEN}"
)
LINES = ["\n", "\r\n", "\n\n", "## Plus de détails\n", "---\n"]
PIECES = st.sampled_from([*SIGNS.split(), *LINES])
ANY_TEXT = st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=40).map(" ".join))


def of_rule(found: list[Finding], rule: int) -> list[Finding]:
    return [finding for finding in found if finding.rule == rule]


def errors(text: str, kind: Kind = Kind.STRING) -> list[str]:
    return [str(finding) for finding in check(text, kind, KNOWN) if finding.level is ERROR]


@pytest.mark.parametrize(("rule", "level", "bad", "good"), STORIES)
def test_a_hard_sentence_is_found_and_a_better_one_passes(
    rule: int, level: Level, bad: str, good: str
) -> None:
    found = of_rule(check(bad, Kind.STRING, KNOWN), rule)
    assert level in {finding.level for finding in found}
    assert all(finding.message and finding.better for finding in found)
    assert of_rule(check(good, Kind.STRING, KNOWN), rule) == []
    assert errors(good) == []


@pytest.mark.parametrize(("rule", "level", "bad", "good"), PAGE_STORIES)
def test_a_hard_page_is_found_and_a_better_one_passes(rule: int, level: Level, bad: str, good: str) -> None:
    assert level in {finding.level for finding in of_rule(check(bad, Kind.PAGE, KNOWN), rule)}
    assert of_rule(check(good, Kind.PAGE, KNOWN), rule) == []
    assert errors(good, Kind.PAGE) == []


def test_one_negation_is_found_once() -> None:
    assert len(of_rule(check("Ce n'est ni le père ni la mère."), 5)) == 1


def test_forty_bad_sentences_one_for_each_rule_and_forty_good_ones() -> None:
    assert {rule for rule, *_ in STORIES + PAGE_STORIES} == set(RULES)
    assert len({bad for _, _, bad, _ in STORIES}) >= 40
    assert len(set(GOOD.splitlines())) >= 40


@pytest.mark.parametrize("sentence", GOOD.splitlines())
def test_a_good_sentence_is_left_alone(sentence: str) -> None:
    assert check(sentence, Kind.STRING, KNOWN) == []


@given(st.tuples(*(st.sampled_from(words) for words in EASY.values())))
def test_easy_words_in_an_easy_order_are_no_error(words: tuple[str, ...]) -> None:
    who, does, what, when = words
    assert errors(f"{who} {does} {what}{when}.") == []


@given(ANY_TEXT, st.sampled_from(Kind))
def test_any_text_is_read_the_same_way_twice_and_findings_point_into_it(text: str, kind: Kind) -> None:
    found = check(text, kind, KNOWN)
    assert found == check(text, kind, KNOWN)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for finding in found:
        assert 1 <= finding.line <= len(lines)
        assert 1 <= finding.column <= max(1, len(lines[finding.line - 1]))
        assert finding.rule in RULES


@pytest.mark.parametrize(
    "text", ["a" * 60_000, "ne " * 20_000, "(" * 50_000, "www." * 20_000, "é est " * 9_000]
)
def test_a_text_without_end_is_read_in_no_time(text: str) -> None:
    """It would take minutes were it read to its end: pytest would be stopped long before."""
    assert check(text, Kind.PAGE) is not None


PAGE = """\
---
title: "Le RSA, c'est quoi ?"
summary: "Une aide ; chaque mois."
pictogram: money
---
## C'est quoi ?
**RSA** : le revenu de solidarité active.
Vous recevez {amount:rsa_single}.
Lisez [la page du logement](rights:logement) (bientôt).

<!-- easyread: 12 because the name of the law says it so -->
La loi des trente jours.

## Plus de détails
Articles L262-1 et suivants ; le montant est versé (30 % au plus) par la CAF.
"""


def test_a_page_is_read_with_its_title_and_its_details_are_only_advised() -> None:
    told = report(PAGE, Kind.PAGE, KNOWN)
    wrong = [(finding.line, finding.rule) for finding in told.findings if finding.level is ERROR]
    assert wrong == [(3, 4), (9, 4)]
    assert {(finding.line, finding.rule) for finding in told.findings if finding.line > 13} == {
        (15, 4), (15, 10), (15, 13)
    }  # fmt: skip
    (excused,) = told.excused
    assert (excused.finding.line, excused.finding.rule) == (12, 12)
    assert excused.reason == "the name of the law says it so"


def test_a_finding_says_where_why_and_how_to_say_it_better() -> None:
    (finding,) = [finding for finding in check(PAGE, Kind.PAGE, KNOWN) if finding.line == 9]
    assert PAGE.splitlines()[8][finding.column - 1 :].startswith("(bientôt)")
    assert str(finding) == (
        "9: error 4: Ce signe est difficile : « (bientôt) ». Mieux : dites-le dans une nouvelle phrase."
    )


@pytest.mark.parametrize(
    ("excuse", "found"),
    [
        ("<!-- easyread: 4 because it is so -->", []),
        ("<!-- easyread: 4, 12 because it is so -->", [(1, 12, WARNING)]),
        ("<!-- easyread: 4 -->", [(1, 4, ERROR), (2, 4, ERROR)]),
        ("<!-- easyread: 5 because it is so -->", [(1, 5, WARNING), (2, 4, ERROR)]),
        ("<!-- a remark -->", [(2, 4, ERROR)]),
    ],
)
def test_an_exception_needs_a_reason_and_a_use(excuse: str, found: list[tuple[int, int, Level]]) -> None:
    told = check(f"{excuse}\nVenez (demain).", Kind.PAGE)
    assert [(finding.line, finding.rule, finding.level) for finding in told] == found


def test_an_exception_serves_one_line() -> None:
    told = errors("<!-- easyread: 4 because -->\nVenez.\nVenez (demain).", Kind.PAGE)
    assert len(told) == 2
    text = "<!-- easyread: 4 because so -->\n\n- Venez (demain).\n- Venez (lundi)."
    assert [finding.line for finding in check(text, Kind.PAGE) if finding.level is ERROR] == [4]


@pytest.mark.parametrize(
    "text",
    [
        "En 2026, la loi change.", "Écrivez à 86000 Poitiers.", "Appelez le 3919.", "Appelez le 36 46.",
        "Appelez le 116 117.", "Appelez le 0 805 16 00 75.", "La loi 2005 est à lire.",
        "Les Deux-Sèvres sont à côté.", "Écrivez à nom@exemple.fr.", "Appelez le [15](tel:15).",
    ],
)  # fmt: skip
def test_numbers_that_are_names_are_no_large_numbers(text: str) -> None:
    assert errors(text, Kind.PAGE) == []


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("eau", 1), ("aide", 1), ("vie", 1), ("rue", 1), ("yeux", 1), ("lieu", 1), ("très", 1), ("les", 1),
        ("caisse", 1), ("feuille", 1), ("guerre", 1), ("quelque", 1), ("doivent", 1), ("vient", 1), ("fruit", 1),
        ("maison", 2), ("demande", 2), ("nation", 2), ("pays", 2), ("payer", 2), ("moyen", 2), ("maïs", 2),
        ("créer", 2), ("accueil", 2), ("famille", 2), ("mairie", 2), ("souvent", 2), ("étaient", 2), ("client", 2),
        ("cruel", 2), ("chaos", 2), ("accès", 2), ("argent", 2), ("travail", 2), ("médecin", 3),
        ("société", 3), ("réunion", 3), ("travailler", 3), ("année", 2), ("ouvrier", 3), ("quatrième", 3),
        ("oublier", 3), ("document", 3), ("logement", 3), ("téléphone", 3), ("allocation", 4), ("identité", 4),
    ],
)  # fmt: skip
def test_syllables_are_counted_as_they_are_said(word: str, count: int) -> None:
    assert syllables(word) == count
    assert syllables(word.upper()) == count


def test_a_letter_of_an_office_measures_harder_than_an_easy_one() -> None:
    easy = kandel_moles(["Vous venez à la mairie.", "Vous montrez la lettre."])
    hard = kandel_moles(
        ["L'attribution de l'allocation est conditionnée par l'examen des justificatifs transmis."]
    )
    assert easy > 100
    assert hard < 50
    assert kandel_moles([]) == 207


@pytest.mark.parametrize(
    ("text", "words"),
    [("Un mot, deux mots : trois mots ?", 6), ("L'aide", 1), ("Venez le \ufffc.", 3), ("", 0)],
)
def test_words_are_counted_as_one_reads(text: str, words: int) -> None:
    assert length(text) == words


@pytest.mark.parametrize(
    "word", ["maisons", "apportez", "dormez", "prévenez", "gratuites", "travailleuse", "locaux"]
)
def test_a_form_of_a_common_word_is_common(word: str) -> None:
    assert not is_rare(word)


def test_an_infinitive_makes_a_future_and_a_verb_in_r_does_not() -> None:
    assert all(is_future(stem, "ez") for stem in ("verser", "finir", "prendr", "recevr", "ser"))
    assert not any(is_future(stem, "ez") for stem in ("entr", "montr", "ouvr", "prépar", "tir"))


def test_the_command_prints_findings_and_fails_on_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, good = tmp_path / "bad.md", tmp_path / "good.txt"
    bad.write_text("Vous ne venez pas.\nVenez (demain).\n", encoding="utf-8")
    good.write_text("Venez demain.\n", encoding="utf-8")
    assert main([str(good)]) == 0
    assert capsys.readouterr().out == ""
    assert main([str(bad), str(good)]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{bad}:1: warning 5: ")
    assert second.startswith(f"{bad}:2: error 4: ")
    assert main(["--errors", str(bad)]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert main(["--table", str(bad), str(good)]) == 1
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["sentences", "2", "1"]
    assert main([str(tmp_path / "none.md")]) == 2


def test_the_command_runs_by_its_name(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("Venez & restez.\n", encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "casework.easyread", text],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (1, "")
    assert run.stdout.startswith(f"{text}:1: error 15: ")


def test_the_list_of_acronyms_gives_each_its_name(tmp_path: Path) -> None:
    listed = tmp_path / "acronyms.yaml"
    listed.write_text(
        'RSA: {name: "revenu de solidarité active", why: "everybody says it"}\n', encoding="utf-8"
    )
    assert acronyms(listed) == {"RSA": "revenu de solidarité active"}
    assert acronyms(tmp_path / "none.yaml") == {}
