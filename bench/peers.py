"""What other programs that make appointments did on the Vienne data set, measured once on two shared cores with two
processes (`docs/benchmarks.md`): for orientation. Milliseconds, bookings a second, bytes."""

from __future__ import annotations

from bench.report import Measure

ONE_AGENT = {
    "django-appointment 3.12, a day": 14.0, "Indico 3.2 rooms, a week": 25.0, "django-appointment 3.12, a week": 65.0,
    "pretix 2026.8, a week": 123.0, "Thunderbird Appointment, 8 weeks": 192.0,
}  # fmt: skip
ALL_AGENTS = {
    "pretix 2026.8, one slot": 124.0, "Indico 3.2 rooms, a week": 443.0, "django-appointment 3.12": 1_387.0,
    "pretix 2026.8, a week": 3_200.0,
}  # fmt: skip
BOOKINGS = {
    "django-appointment 3.12": 85.0, "Indico 3.2 rooms": 49.0, "pretix 2026.8": 20.0, "Thunderbird Appointment": 2.0,
}  # fmt: skip
FIRST_VIEW = {
    "django-appointment 3.12": 317_000.0, "pretix 2026.8": 422_000.0, "Thunderbird Appointment": 927_000.0,
    "Indico 3.2 rooms": 1_600_000.0,
}  # fmt: skip
RACES = "three tries: pretix 1, 1, 1; django-appointment 50, 50, 50; Indico 3, 8, 4; Thunderbird 1, 7, 1"

TIMES_FASTER = 5.0
TIMES_PRETIX, TIMES_THE_FASTEST = 5.0, 2.0
TIMES_LIGHTER = 20.0


def compare(measures: list[Measure]) -> list[Measure]:
    """Our figures of the Vienne data set beside each of theirs; the best of a column has the aim."""
    ours = {measure.name: measure.value for measure in measures}
    compared = [
        *_ratios("slots", ONE_AGENT, ours["slots.vienne.worker.offered.p50"], TIMES_FASTER),
        *_ratios("slots_page", ONE_AGENT, ours["page.vienne.worker.p50"], None),
        *_ratios("all_slots", ALL_AGENTS, ours["slots.vienne.departement.offered.p50"], TIMES_FASTER),
        *_ratios("all_slots_page", ALL_AGENTS, ours["page.vienne.departement.p50"], None),
        *_ratios("first_view", FIRST_VIEW, ours["weight.slots.vienne"], TIMES_LIGHTER),
    ]
    for peer, theirs in BOOKINGS.items():
        aim = {"pretix 2026.8": TIMES_PRETIX, "django-appointment 3.12": TIMES_THE_FASTEST}.get(peer)
        against = f"{peer}: {theirs:g} a second"
        ratio = ours["booking.confirm"] / theirs
        compared.append(Measure(f"peers.confirm.{_slug(peer)}", ratio, "×", aim, "higher", against))
    return compared


def _ratios(name: str, peers: dict[str, float], ours: float, aim: float | None) -> list[Measure]:
    """How many times more each of them takes; only the best of them matters for the aim."""
    best = min(peers, key=lambda peer: peers[peer])
    unit = "bytes" if name == "first_view" else "ms"
    return [
        Measure(
            f"peers.{name}.{_slug(peer)}", theirs / ours, "×", aim if peer == best else None, "higher",
            f"{peer}: {theirs:,g} {unit}",
        )
        for peer, theirs in peers.items()
    ]  # fmt: skip


def _slug(peer: str) -> str:
    return "_".join("".join(c if c.isalnum() else " " for c in peer.lower()).split())
