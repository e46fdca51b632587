"""What a KPI is, as data: its words for people, and its measure for the engine.

A measure is one of a few shapes, each computed by a module of its own: a ratio of sums (`ratios`, `daily`), people
followed from a first moment on (`followed`, `times`), a base and what becomes of it (`bases`), answers (`scores`),
what customers bring and cost (`worth`), time in the company's stages (`stagewise`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from lifecycle_kit.errors import UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "BASE_METRICS",
    "CONVENTIONS",
    "FLOWS",
    "INTERVALS",
    "KPI",
    "MONEY",
    "MONEY_FLOWS",
    "ORDER",
    "PEOPLE_FLOWS",
    "STAGES",
    "VISIT",
    "Anchor",
    "Base",
    "Catalogue",
    "Followed",
    "Measure",
    "Operand",
    "Ratio",
    "Score",
    "StageTime",
    "TimeTo",
    "Worth",
    "interval_of",
]

# event sets by a name of their own: any touchpoint that a person makes, and orders that were not taken back
VISIT, ORDER = ("visit",), ("order",)
MONEY = ("revenue", "cost", "profit")
PEOPLE_FLOWS = ("active", "new", "returning", "resurrecting", "dormant", "previous")
MONEY_FLOWS = (
    "revenue_now",
    "previous_revenue",
    "kept_revenue",
    "retained_revenue",
    "new_revenue",
    "expansion",
    "contraction",
    "churned_revenue",
    "reactivated_revenue",
)
FLOWS = PEOPLE_FLOWS + MONEY_FLOWS
# the order in which a scorecard shows them; a company's own stages follow
STAGES = ("awareness", "consideration", "purchase", "retention", "advocacy", "any")

# the four that the lifecycle primer begins with
BASE_METRICS = ("daily_traffic", "conversion_rate", "average_order_value", "profit_per_customer")

# what holds for every KPI of a catalogue; part of each definition's hash
CONVENTIONS = {
    "zero_denominator": "null",
    "immature": "out of the denominator; null when nobody is old enough",
    "windows": "whole business days; the first day is day 0",
    "order": "completed, not cancelled, not given back entirely; its revenue is what stands of it",
    "visit": "any touchpoint that the person makes",
}

OperandKind = Literal["people", "count", "days", "sessions", "sum", "first", "spend", "calendar_days", "flow"]
AnchorKind = Literal["first", "each", "each_day", "each_period"]


@dataclass(frozen=True)
class Operand:
    """One side of a ratio.

    Attributes
    ----------
    kind : str
        ``people`` with such a touchpoint, ``count`` of touchpoints, ``days`` (one person on one day), ``sessions``,
        ``sum`` of money, ``first`` (people whose first one ever it is), ``spend`` on marketing, ``calendar_days``,
        ``flow`` (people or money that came, stayed or went since the period before).
    of : tuple of str
        Event set; or the money; or the purposes of spending (empty: all); or the flows, added up.
    paid : bool
        For ``first``: only people of channels that cost something to acquire by.
    lag : int
        For ``spend``: so many periods earlier.
    activity : tuple of str
        For ``flow``: what counts as active.
    """

    kind: OperandKind
    of: tuple[str, ...] = ()
    paid: bool = False
    lag: int = 0
    activity: tuple[str, ...] = ORDER


@dataclass(frozen=True)
class Ratio:
    """A ratio of sums over the period, or a plain count where there is nothing to divide by."""

    numerator: Operand
    denominator: Operand | None = None


@dataclass(frozen=True)
class Anchor:
    """Where following begins: the ``first`` such touchpoint ever, ``each``, the first of ``each_day`` or period."""

    kind: AnchorKind
    of: tuple[str, ...]


@dataclass(frozen=True)
class Followed:
    """What people (or orders, carts) do in a window of days after their anchor.

    Attributes
    ----------
    anchor : Anchor
    target : tuple of str
        Event set. Where it is the anchor's own, the target is strictly later; else it may be of the same instant.
    begin, end : int, int or None
        The window [begin, end) in business days, the anchor's own day being 0; None is without end.
    gives : str
        ``share`` with the target, ``absence`` (share without it), or the mean ``count``, ``revenue`` or ``profit``.
    same_order : bool
        The target must be about the anchor's order.
    """

    anchor: Anchor
    target: tuple[str, ...]
    begin: int = 0
    end: int | None = None
    gives: Literal["share", "absence", "count", "revenue", "profit"] = "share"
    same_order: bool = False

    @property
    def days_to_mature(self) -> int:
        """How many days of an anchor must lie within the log, its own included."""
        return self.end if self.end is not None else self.begin + 1


@dataclass(frozen=True)
class TimeTo:
    """Days from the anchor to the target: a quantile of the Kaplan-Meier curve, who is still waiting censored."""

    anchor: Anchor
    target: tuple[str, ...]
    quantile: float = 0.5


@dataclass(frozen=True)
class Base:
    """A base at the period's start, and the share of it that does something in the period.

    Attributes
    ----------
    kind : str
        ``active`` (had such a touchpoint in the last `days`) or ``open`` (a contract that has started and not ended).
    of : tuple of str
        Event set of activity; or the event that opens and the one that ends a contract.
    days : int
        For ``active``.
    gives : tuple of str
        ``("ended",)``, or the event set to be done.
    """

    kind: Literal["active", "open"]
    of: tuple[str, ...]
    days: int = 0
    gives: tuple[str, ...] = ("ended",)


@dataclass(frozen=True)
class Score:
    """Net promoter score: the last answer of each person in the period."""

    kind: Literal["nps"] = "nps"


@dataclass(frozen=True)
class Worth:
    """What the customers acquired in the period bring, beside what acquiring them cost.

    Attributes
    ----------
    gives : str
        ``payback`` (months of 30 days until the cost has come back) or ``ratio`` (contribution over cost).
    purposes : tuple of str
        Of the spending.
    months : int
        How far to look, in months of 30 days.
    """

    gives: Literal["payback", "ratio"]
    purposes: tuple[str, ...]
    months: int


@dataclass(frozen=True)
class StageTime:
    """What becomes of people who enter a stage: whether they move on within some days, or how long they stay.

    Attributes
    ----------
    gives : str
        ``moves_on`` (share that enters a later stage, falling back being the other way out), ``median`` (days in
        the stage), ``mean`` (mean of the first `days` days).
    days : int
    """

    gives: Literal["moves_on", "median", "mean"]
    days: int


Measure = Ratio | Followed | TimeTo | Base | Score | Worth | StageTime


@dataclass(frozen=True, repr=False)
class KPI:
    """One entry of a catalogue.

    Attributes
    ----------
    id, label, stage, question : str
    unit : str
        share, money, people, days ...; what the value is counted in.
    better_when : str
        higher, lower or neither.
    numerator, denominator : str
        In words; the denominator is empty where nothing is divided.
    maturity : str
        Who is old enough to count.
    interval : str
        How the interval is made; it follows from the measure.
    edge_cases : tuple of str
    source : str
        Where the definition comes from.
    decision : str
        What somebody decides by it.
    measure : Measure
    target : float or None
        The company's own, in the KPI's unit.
    """

    id: str
    label: str
    stage: str
    question: str
    unit: str
    better_when: Literal["higher", "lower", "neither"]
    numerator: str
    denominator: str
    maturity: str
    interval: str
    edge_cases: tuple[str, ...]
    source: str
    decision: str
    measure: Measure
    target: float | None = None

    def __repr__(self) -> str:
        return f"KPI({self.id!r}: {self.question})"

    @property
    def compares_periods(self) -> bool:
        """Whether periods had equal time to show it: with an open end, older ones look better by age alone."""
        return not isinstance(self.measure, Followed) or self.measure.end is not None

    @cached_property
    def definition_hash(self) -> str:
        """Twelve hexadecimal digits of what the value is made of; words and targets do not change it."""
        told = {
            "measure": type(self.measure).__name__,
            **asdict(self.measure),
            "interval": self.interval,
            "conventions": CONVENTIONS,
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True, repr=False)
class Catalogue:
    """KPIs in the order they are declared in.

    Attributes
    ----------
    name : str
    kpis : tuple of KPI
    """

    name: str
    kpis: tuple[KPI, ...]

    def __repr__(self) -> str:
        return f"Catalogue({self.name!r}, {len(self.kpis):,} KPIs)"

    def __iter__(self) -> Iterator[KPI]:
        return iter(self.kpis)

    def __len__(self) -> int:
        return len(self.kpis)

    def __getitem__(self, kpi_id: str) -> KPI:
        for kpi in self.kpis:
            if kpi.id == kpi_id:
                return kpi
        raise UnknownNameError("KPI", kpi_id, (kpi.id for kpi in self.kpis))

    def only(self, ids: Iterable[str]) -> Catalogue:
        """Return the chosen KPIs, in the given order; UnknownNameError for one that is not there."""
        return replace(self, kpis=tuple(self[kpi_id] for kpi_id in dict.fromkeys(ids)))

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages its KPIs belong to, in order."""
        there = dict.fromkeys(kpi.stage for kpi in self.kpis)
        return tuple(s for s in STAGES if s in there) + tuple(s for s in there if s not in STAGES)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per KPI: kpi, stage, label, question, unit, better_when, interval, target."""
        import pandas as pd

        names = ("stage", "label", "question", "unit", "better_when", "interval", "target")
        return pd.DataFrame([{"kpi": kpi.id} | {name: getattr(kpi, name) for name in names} for kpi in self.kpis])

    def to_records(self) -> list[dict[str, Any]]:
        """Return plain values, one dict per KPI."""
        return [
            {
                **asdict(kpi),
                "edge_cases": list(kpi.edge_cases),
                "measure": {"shape": type(kpi.measure).__name__, **asdict(kpi.measure)},
                "definition_hash": kpi.definition_hash,
            }
            for kpi in self.kpis
        ]


def interval_of(measure: Measure) -> str:
    """Return how the interval of a measure is made; it follows from what may be taken as independent."""
    if isinstance(measure, Ratio):
        return _of_ratio(measure)
    if isinstance(measure, Followed):
        is_share = measure.gives in ("share", "absence")
        return "wilson" if is_share and measure.anchor.kind in ("first", "each_period") else "delta_clustered"
    if isinstance(measure, StageTime):
        return "aj_loglog" if measure.gives == "moves_on" else "km_loglog"
    return {TimeTo: "km_loglog", Base: "wilson", Score: "nps_multinomial", Worth: "person_bootstrap"}[type(measure)]


def _of_ratio(measure: Ratio) -> str:
    top, bottom = measure.numerator, measure.denominator
    if bottom is None:
        counts_people = top.kind in ("people", "first") or (top.kind == "flow" and set(top.of) <= set(PEOPLE_FLOWS))
        return "poisson_exact" if counts_people else "person_bootstrap"
    if bottom.kind == "calendar_days":
        return "delta_by_day"
    return "person_bootstrap" if "spend" in (top.kind, bottom.kind) or top.kind == "flow" else "delta_clustered"


# every way to make an interval, in words
INTERVALS = {
    "wilson": "Wilson's score interval: each person counts once",
    "poisson_exact": "exact Poisson interval (Garwood) of a number of people",
    "delta_clustered": "delta method over people: what one person does twice is not two people",
    "delta_by_day": "delta method over days: days differ by more than chance",
    "person_bootstrap": "bootstrap over random groups of people (1,000 draws, percentiles)",
    "nps_multinomial": "multinomial: promoters, passives and detractors of one sample",
    "km_loglog": "Kaplan-Meier with log-log limits: who still waits is censored",
    "aj_loglog": "Aalen-Johansen with log-log limits: falling back competes with moving on",
}
