"""What `lifecycle clv` answers: each question's figures, tables, pictures and words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifecycle_kit.cli.answer import Answer, records
from lifecycle_kit.cli.options import pick_model

if TYPE_CHECKING:
    import pandas as pd

    from lifecycle_kit.clv.backtest import BackTest
    from lifecycle_kit.clv.value import CustomerValue
    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["BEST", "of_movers", "of_one_more", "of_test", "of_value"]

BEST = "best"


def _test(dataset: Dataset, asked: dict[str, Any]) -> BackTest:
    from lifecycle_kit.clv.backtest import backtest

    wanted = {name: asked[name] for name in ("origins", "as_of", "since", "level")}
    return backtest(dataset, horizon=asked["horizon_weeks"], **wanted)


def _value(dataset: Dataset, asked: dict[str, Any], **changed: Any) -> CustomerValue:
    from lifecycle_kit.clv.value import customer_value

    wanted = {name: asked[name] for name in ("as_of", "margin", "discount_rate", "model", "since", "level", "seed")}
    return customer_value(dataset, horizon_months=asked["months"], **wanted | changed)


def _chosen(dataset: Dataset, asked: dict[str, Any]) -> tuple[dict[str, Any], BackTest | None, list[str]]:
    """Put the best model of a back-test in the place of "best"."""
    if asked["model"] != BEST:
        return asked, None, []
    tested = _test(dataset, asked)
    return asked | {"model": tested.best()}, tested, [tested.verdict]


def _headline(value: CustomerValue) -> str:
    whole = value.groups[value.groups["by"] == "all"].iloc[0]
    return (
        f"{value.source}: {len(value.frame):,} customers are expected to bring {whole['clv']:,.0f} ({value.level:.0%} "
        f"range: {whole['lo']:,.0f} to {whole['hi']:,.0f}),\n{whole['clv_per_customer']:,.2f} each, within "
        f"{value.horizon}; {value.model_name}."
    )


def of_value(dataset: Dataset, asked: dict[str, Any]) -> Answer:
    from lifecycle_kit.clv.simple_beside import simple_beside

    asked, tested, said = _chosen(dataset, asked)
    value = _value(dataset, asked, stage_model=pick_model(asked["stages"], dataset))
    beside = simple_beside(value, tested)
    top = value.frame.sort_values("clv", ascending=False, kind="stable").head(asked["top"])
    shown = [
        *("person_id", "channel", "stage", "frequency", "p_alive", "expected_purchases", "expected_spend"),
        *("clv", "lo", "hi"),
    ]
    groups = [(f"By {what}", _grouped(value.by(what))) for what in ("channel", "stage")]
    beside_shown = beside.rename(
        columns={
            "clv": "value", "clv_per_customer": "per_customer", "revenue_bias": "bias", "revenue_mae": "mean_error",
        }
    )  # fmt: skip
    tops = [(f"The {len(top)} most valuable customers", top[shown])] if len(top) else []
    whole = value.by("all").iloc[0]
    return Answer(
        json={
            "source": value.source,
            "as_of": value.horizon.as_of,
            "until": value.horizon.last,
            "model": value.model_name,
            "margin": value.margin.share,
            "level": value.level,
            "n_customers": len(value.frame),
            **{name: whole[name] for name in ("clv", "lo", "hi", "clv_per_customer")},
            "groups": records(value.groups),
            "methods": records(beside),
            "customers": records(top[shown]),
            "assumptions": value.assumptions,
            "warnings": [*said, *value.warnings],
        },
        tables={
            "customers": value.frame,
            "groups": value.groups,
            "whale_curve": value.whale_curve(),
            "simple_formula": beside,
        },
        pictures={
            "value": value.plot,
            "whale_curve": value.plot_whale,
            "value_by_channel": lambda: value.plot_groups("channel"),
            "value_by_stage": lambda: value.plot_groups("stage"),
        },
        lines=[*said, *_headline(value).splitlines()],
        printed=[*groups, ("Beside the simple formula", beside_shown), *tops],
        after=list(value.assumptions),
        warnings=list(value.warnings),
    )


def _grouped(found: pd.DataFrame) -> pd.DataFrame:
    named = {"n_customers": "customers", "clv": "value", "clv_per_customer": "per_customer"}
    return found.rename(columns=named)


def of_test(dataset: Dataset, asked: dict[str, Any]) -> Answer:
    tested = _test(dataset, asked)
    summary = tested.summary()
    shown = [
        *("forecast", "kind", "n_origins", "bias", "mae", "rmse", "deviance", "spearman", "gini", "decile_lift"),
        "coverage",
    ]
    error = _simple_error(summary)
    days = ", ".join(map(str, tested.scores["origin"].drop_duplicates()))
    return Answer(
        json={
            "source": tested.source,
            "origins": list(tested.scores["origin"].drop_duplicates()),
            "horizon_weeks": tested.horizon,
            "verdict": tested.verdict,
            "simple_formula": error,
            "summary": records(summary),
            "warnings": tested.warnings,
        },
        tables={
            "summary": summary,
            "scores": tested.scores,
            "calibration": tested.calibration,
            "tracking": tested.tracking,
            "weights": tested.weights,
        },
        pictures={"tracking": tested.plot, "calibration": tested.plot_calibration},
        lines=[f"{dataset.name}: the {tested.horizon:g} weeks after {days}, held out.", tested.verdict, error],
        printed=[("Held-out purchases, best first", summary[summary["deviance"].notna()][shown])],
        warnings=list(tested.warnings),
    )


def _simple_error(summary: pd.DataFrame) -> str:
    from lifecycle_kit.clv.forecasts import SIMPLE

    money = summary.set_index("forecast")[["revenue_bias", "revenue_mae"]]
    if SIMPLE not in money.index or money.loc[SIMPLE].isna().any():
        return "The orders tell no revenue, so the simple formula cannot be judged."
    off, mean = money.loc[SIMPLE]
    told = f"The simple formula was wrong by {off:+.1%} of revenue, and by {mean:,.2f} per customer in the mean"
    models = money[(summary["kind"] == "model").to_numpy()].dropna()
    if models.empty:
        return f"{told}."
    best = models["revenue_mae"].idxmin()
    return f"{told}; {best} by {models.loc[best, 'revenue_bias']:+.1%} and {models.loc[best, 'revenue_mae']:,.2f}."


def of_one_more(dataset: Dataset, asked: dict[str, Any]) -> Answer:
    from lifecycle_kit.clv.one_more import one_more_customer

    asked, _, said = _chosen(dataset, asked)
    value = _value(dataset, asked)
    more = one_more_customer(dataset, value, won_since=asked["won_since"])
    whole = more.frame.iloc[0]
    return Answer(
        json={
            "source": more.source,
            "won_since": more.won_since,
            "won_until": more.won_until,
            "model": value.model_name,
            "channels": records(more.frame),
            "assumptions": more.assumptions,
            "warnings": [*said, *value.warnings],
        },
        tables={"one_more": more.frame},
        pictures={"one_more": more.plot},
        lines=[
            *said,
            f"{more.source}: one more customer is worth {whole['value']:,.2f} ({value.level:.0%} range of that mean: "
            f"{whole['lo']:,.2f} to {whole['hi']:,.2f}).",
        ],
        printed=[("By channel", more.frame)],
        after=list(more.assumptions),
        warnings=list(value.warnings),
    )


def of_movers(dataset: Dataset, asked: dict[str, Any]) -> Answer:
    asked, _, said = _chosen(dataset, asked)
    value = _value(dataset, asked)
    moved = value.movers(_value(dataset, asked, as_of=asked["movers_since"]))
    top = moved.frame.head(asked["top"])
    n = min(max(asked["top"], 1), 30)
    up, down = int((moved.frame["change"] > 0).sum()), int((moved.frame["change"] < 0).sum())
    return Answer(
        json={
            "source": moved.source,
            "before": moved.before,
            "after": moved.after,
            "change": float(moved.frame["change"].sum()),
            "movers": records(top),
            "assumptions": value.assumptions,
            "warnings": [*said, *value.warnings],
        },
        tables={"movers": moved.frame},
        pictures={"movers": lambda: moved.plot(n)},
        lines=[
            *said,
            f"{moved.source}: since {moved.before}, {up:,} customers' values rose and {down:,} fell, together "
            f"{moved.frame['change'].sum():+,.0f}.",
        ],
        printed=[(f"The {len(top)} largest changes", top)] if len(top) else [],
        after=[*value.assumptions, "Each day has its own fit: a part of a change may be the fit's."],
        warnings=list(value.warnings),
    )
