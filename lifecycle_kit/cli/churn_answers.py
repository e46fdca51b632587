"""What `lifecycle churn` answers: rules of lapse, a judged model of risk, and risk beside value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lifecycle_kit.cli.answer import Answer, records
from lifecycle_kit.cli.options import pick_model
from lifecycle_kit.cli.screen import in_options
from lifecycle_kit.errors import LifecycleError, UnknownNameError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from lifecycle_kit.churn.judged import LapseRule
    from lifecycle_kit.churn.lapse import Lapse
    from lifecycle_kit.churn.risk_result import RiskModel, RiskScores
    from lifecycle_kit.churn.risk_value import RiskValueGrid
    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["PICTURES", "TABLES", "ChurnAnswer", "of_churn", "rules_named"]

# what --out may write
TABLES = (
    *("lapse", "lapse_agreement", "risks", "judgement", "calibration", "gain", "importance", "profit", "risk_value"),
    "risk_value_customers",
)
PICTURES = ("lapse", "gaps", "calibration", "gain", "importance", "profit", "risk_value")
# asked for by one of these, a risk that cannot be told is an error and not a sentence
_WANT_RISK = {"model", "reasons", "value_saved", "cost_of_contact", "save", "load"}

_WRONG = (
    "False alarms: of those called lapsed then, who ordered all the same. Misses: of the others, who did not; they may "
    "come later."
)


@dataclass
class ChurnAnswer(Answer):
    """What was found, and where the model was kept."""

    kept: list[str] = field(default_factory=list)


def rules_named(text: str) -> tuple[LapseRule, ...]:
    """Return the rules that a text names: days:180,gaps:0.5,rhythm:3,alive:0.5."""
    from lifecycle_kit.churn.lapse_rules import FixedDays, GapCurve, OwnRhythm, PAlive, checked_rules

    kinds: dict[str, Any] = {"days": FixedDays, "gaps": GapCurve, "rhythm": OwnRhythm, "alive": PAlive}
    made = []
    for part in text.split(","):
        name, _, number = part.strip().partition(":")
        if name not in kinds:
            raise UnknownNameError("rule", name, kinds)
        if not number:
            made.append(kinds[name]())
            continue
        try:
            value: float = int(number) if name == "days" else float(number)
        except ValueError:
            raise UsageError(f"The rule {part.strip()!r} has no number.", fix="Write it like days:180.") from None
        made.append(kinds[name](value))
    return checked_rules(made)


def of_churn(dataset: Dataset, asked: dict[str, Any], given: set[str]) -> ChurnAnswer:
    """Answer: rules of lapse, and unless only these were asked for, risk and what is at stake."""
    model, window = None, asked["window_days"]
    if asked["load"] is not None:
        from lifecycle_kit.churn.saved import load_risk_model

        model = load_risk_model(asked["load"])
        if model.window_days is None:
            raise UsageError(f"The model in {asked['load']} did not learn from a log.", fix="Give one that did.")
        window = model.window_days
    made = _of_lapse(_lapse(dataset, asked, window))
    if "rules" in given:
        return made
    try:
        told = _of_risk(made, dataset, asked, model)
    except LifecycleError as error:
        if given & _WANT_RISK:
            raise
        made.json["risk"] = None
        made.after.append(f"No risk is told: {_in_a_sentence(error)}")
        return made
    _of_value(made, dataset, asked, told)
    return made


def _lapse(dataset: Dataset, asked: dict[str, Any], window_days: int) -> Lapse:
    from lifecycle_kit.churn.lapse import lapse

    rules = {} if asked["rules"] is None else {"rules": asked["rules"]}
    return lapse(dataset, as_of=asked["as_of"], since=asked["since"], window_days=window_days, **rules)


def _in_a_sentence(error: LifecycleError) -> str:
    return in_options(" ".join(str(error).split()))


def _of_lapse(found: Lapse) -> ChurnAnswer:
    columns = {
        "rule": "rule",
        "threshold_median": "days_of_silence",
        "n_customers": "customers",
        "n_lapsed": "lapsed",
        "share_lapsed": "share_lapsed",
        "n_only": "only_this_rule",
        "share_called_lapsed": "lapsed_then",
        "false_alarms": "false_alarms",
        "misses": "misses",
        "balanced_accuracy": "balanced_accuracy",
        "auc": "auc",
    }
    shown = found.frame[list(columns)].rename(columns=columns)
    n_then = int(found.frame["n_then"].max())
    n_gone = int(found.frame["n_no_order"].max())
    said = list(found.warnings)
    return ChurnAnswer(
        json={
            "source": found.source,
            "as_of": found.as_of,
            "origin": found.origin,
            "window_days": found.window_days,
            "rules": records(found.frame),
            "warnings": said,
        },
        tables={"lapse": found.frame, "lapse_agreement": found.agreement},
        pictures={"lapse": found.plot, "gaps": found.plot_gaps},
        lines=[
            f"{found.source}: {len(found.known_now.frame):,} customers. Of {n_then:,} on {found.origin}, {n_gone:,} "
            f"({n_gone / max(n_then, 1):.0%}) had no order",
            f"in the {found.window_days} days that followed: each rule is held against these.",
        ],
        printed=[("Who counts as lapsed today, and how often that was wrong a window ago", shown)],
        after=[*(str(words) for words in found.frame["words"]), _WRONG],
        warnings=said,
    )


def _of_risk(made: ChurnAnswer, dataset: Dataset, asked: dict[str, Any], loaded: RiskModel | None) -> RiskScores:
    """Add the model of risk, its judgement, and whom it pays to contact."""
    costs = {name: asked[name] for name in ("cost_of_contact", "value_saved")}
    model = loaded
    if model is None:
        from lifecycle_kit.churn.risk import risk_model

        wanted = {name: asked[name] for name in ("window_days", "model", "since", "seed")}
        model = risk_model(dataset, until=asked["as_of"], **wanted, **costs)
    if asked["save"] is not None:
        from lifecycle_kit.churn.saved import save_risk_model

        made.kept.append(
            f"The model is in {asked['save']}; its manifest's sha256 is {save_risk_model(model, asked['save'])}."
        )
    scored = model.score(dataset, asked["as_of"], reasons_for=asked["top"] if asked["reasons"] else 0, **costs)
    said = [*model.warnings, *scored.warnings]
    if loaded is not None and model.cuts is not None and scored.cut is not None and scored.cut < model.cuts.last:
        said.append(f"The model knows what came until {model.cuts.last}: of {scored.cut} it knows too much.")
    risks = scored.frame if asked["reasons"] else scored.frame.drop(columns=_reasons(scored.frame))
    threshold, costs_said = model.threshold, ""
    if costs["value_saved"] is not None:
        threshold = costs["cost_of_contact"] / costs["value_saved"]
        costs_said = f" on ({costs['cost_of_contact']:,.2f} / {costs['value_saved']:,.2f})"
    elif threshold is not None:
        costs_said = " on (by the costs the model was kept with)"
    n_paying = int(scored.frame["contact"].sum()) if "contact" in scored.frame else None
    made.json["risk"] = {
        "model": model.name,
        "source": model.source,
        "verdict": model.verdict,
        "scores": records(model.scores),
        "parts": records(model.parts),
        "importance": records(model.importance),
        "left_out": dict(model.left_out),
        "mean_risk": float(scored.frame["risk"].mean()),
        "threshold": threshold,
        "n_worth_a_contact": n_paying,
    }
    made.warnings += [sentence for sentence in said if sentence not in made.warnings]
    judged = {"judgement": model.scores, "calibration": model.calibration, "gain": model.gain}
    made.tables |= {"risks": risks, **judged, "importance": model.importance}
    made.pictures |= {"calibration": model.plot, "gain": model.plot_gain, "importance": model.plot_importance}
    if model.profit is not None:
        made.tables["profit"] = model.profit
        made.pictures["profit"] = model.plot_profit
    made.printed.append(
        (f"Risk of no order within {model.window_days} days, judged on {model.source}", _summary(model))
    )
    made.after.append(model.verdict)
    if n_paying is not None and threshold is not None:
        made.after.append(
            f"A contact pays from a risk of {threshold:.1%}{costs_said}: {n_paying:,} of {len(scored.frame):,} "
            "customers."
        )
    if asked["reasons"]:
        _tell_reasons(made, scored, asked["top"])
    return scored


def _summary(model: RiskModel) -> pd.DataFrame:
    shown = ["forecast", "brier", "brier_skill", "pr_auc", "roc_auc", "lift_at_10"]
    return model.summary()[shown]


def _reasons(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame if name.startswith("reason_")]


def _tell_reasons(made: ChurnAnswer, scored: RiskScores, n: int) -> None:
    by = ["expected_profit", "risk"] if "expected_profit" in scored.frame else ["risk"]
    top = scored.frame.sort_values(by, ascending=False, kind="stable").head(n)
    made.json["customers"] = records(top)
    shown = _one_reason_a_row(top, by)
    made.printed.append((f"The {len(top)} customers of the highest {' and '.join(by).replace('_', ' ')}", shown))
    made.after.append(scored.note)


def _one_reason_a_row(top: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return who, how much, and why: further reasons stand in rows of their own, below."""
    import pandas as pd

    rows = []
    for row in top.to_dict(orient="records"):
        head = {"person_id": row["person_id"], "risk": f"{row['risk']:.1%}"}
        if "expected_profit" in by:
            head["expected_profit"] = f"{row['expected_profit']:,.2f}"
        told = [row[name] for name in _reasons(top) if isinstance(row[name], str)] or ["nothing stands out"]
        rows += [
            head | {"why": reason} if i == 0 else dict.fromkeys(head, "") | {"why": reason}
            for i, reason in enumerate(told)
        ]
    return pd.DataFrame(rows)


def _of_value(made: ChurnAnswer, dataset: Dataset, asked: dict[str, Any], scored: RiskScores) -> None:
    """Add risk beside value, or why it cannot be told."""
    from lifecycle_kit.churn.risk_value import risk_value
    from lifecycle_kit.clv.value import customer_value

    try:
        value = customer_value(
            dataset,
            as_of=asked["as_of"],
            since=asked["since"],
            margin=asked["margin"],
            horizon_months=asked["months"],
            stage_model=pick_model(asked["stages"], dataset),
            seed=asked["seed"],
        )
        grid = risk_value(
            scored.frame[["person_id", "risk"]],
            value.frame,
            stages=value.frame[["person_id", "stage"]],
            seed=asked["seed"],
            source=value.source,
        )
    except LifecycleError as error:
        if asked["margin"] is not None:
            raise
        made.json["risk_value"] = None
        made.after.append(f"What is at stake is not told: {_in_a_sentence(error)}")
        return
    _tell_grid(made, grid, f"{value.horizon}; {value.model_name}")


def _tell_grid(made: ChurnAnswer, grid: RiskValueGrid, how: str) -> None:
    total, at_risk = (float(grid.cells[name].sum()) for name in ("value", "at_risk"))
    made.json["risk_value"] = {
        "value": total,
        "at_risk": at_risk,
        "level": grid.level,
        "cells": records(grid.cells),
        "assumptions": list(grid.assumptions),
    }
    made.warnings += grid.warnings
    made.tables |= {"risk_value": grid.cells, "risk_value_customers": grid.members()}
    made.pictures["risk_value"] = grid.plot
    columns = ["cell", "n_customers", "mean_risk", "value", "at_risk", "lo", "hi", "share_at_risk", "stage"]
    shown = grid.cells[columns].rename(columns={"n_customers": "customers"})
    made.printed.append(("Risk beside value", shown))
    made.after.append(f"Value: {how}. Of {total:,.0f}, {at_risk:,.0f} is at risk.")
    made.after += grid.assumptions
