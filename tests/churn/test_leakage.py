"""A planted feature of the future is caught; the kit's own features tell nothing of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import lifecycle_kit as lk
from lifecycle_kit.churn.features import customer_features
from lifecycle_kit.churn.leakage import auc_alone, check_no_future, future_features, suspicious_features
from lifecycle_kit.churn.without_future import without_future
from lifecycle_kit.errors import DataError, UsageError
from tests.told_rows import shop

ORDERS = [
    ("a1", "ann", "2024-01-01", 1_000, 0, {"refunded_at": "2024-03-01"}),
    ("a2", "ann", "2024-02-10", 1_000, 0),
    ("b1", "bob", "2024-01-05", 1_000, 0),
    ("c1", "cyd", "2024-02-20", 1_000, 0),
]
CUT = "2024-01-31"
NEXT = """SELECT p.person_id, count(*) AS n, min(l.business_day) - DATE '{cut}' AS days
    FROM log l JOIN persons p USING (person_key)
    WHERE l.event = 'order_completed' AND l.business_day > DATE '{cut}' AND l.business_day <= DATE '{cut}' + 30
    GROUP BY 1"""


def planted(dataset, cut):
    """Orders in the next 30 days, and days until the next, beside an honest feature."""
    frame = customer_features(dataset, cut).frame[["person_id", "n_orders"]]
    rows = dataset.engine.rows(NEXT.format(cut=cut))
    return frame.assign(
        n_next_30=frame["person_id"].map({who: n for who, n, _ in rows}).fillna(0),
        days_until_next=frame["person_id"].map({who: days for who, _, days in rows}).astype("float64"),
    )


def test_a_planted_feature_is_caught():
    with shop(orders=ORDERS) as dataset:
        found = future_features(planted, dataset, CUT)
        assert found.to_dict("records") == [
            {
                "feature": name,
                "n_customers": 1,
                "share": 0.5,
                "person_id": "ann",
                "value": value,
                "without_future": none,
            }
            for name, value, none in (("n_next_30", "1.0", "0.0"), ("days_until_next", "10.0", "nan"))
        ]
        with pytest.raises(DataError, match=r"n_next_30 of 1 customers \(ann: 1.0, without the future 0.0\)"):
            check_no_future(planted, dataset, CUT)


def test_a_later_refund_is_the_future():
    """An order looks given back from the day on which the source says so: a mark on an old row."""

    def stands_for_ever(dataset, cut):
        frame = customer_features(dataset, cut).frame[["person_id"]]
        rows = dataset.engine.rows(
            "SELECT person_id, count(refunded_at) FROM log JOIN persons USING (person_key) GROUP BY 1"
        )
        return frame.assign(n_given_back=frame["person_id"].map(dict(rows)))

    with shop(orders=ORDERS) as dataset:
        assert future_features(stands_for_ever, dataset, CUT)["feature"].tolist() == ["n_given_back"]
        assert future_features(customer_features, dataset, CUT).empty


def test_customers_of_one_frame_only_are_told():
    def everybody(dataset, cut):
        rows = dataset.engine.rows("SELECT person_id FROM persons ORDER BY 1")
        return pd.DataFrame({"person_id": [who for (who,) in rows]})

    with shop(orders=ORDERS) as dataset:
        (row,) = future_features(everybody, dataset, CUT).to_dict("records")
    assert (row["feature"], row["n_customers"], row["person_id"]) == ("(customers)", 1, "cyd")


def test_what_is_removed():
    told = {
        "orders": ORDERS,
        "events": [
            (None, "page_viewed", "2024-01-20 09:00", {"anonymous_id": "phone"}),
            ("ann", "page_viewed", "2024-02-20 09:00", {"anonymous_id": "phone"}),
        ],
        "identities": [("phone", "ann", {"linked_at": "2024-02-20 09:00"})],
        "surveys": [("ann", "2024-01-10", 9), ("ann", "2024-02-10", 2)],
        "referrals": [("ann", "2024-01-15", "2024-02-20", {"referred_id": "cyd"}), ("bob", "2024-02-15", None)],
        "costs": [("2024-01-31", "ads", 100, "acquisition"), ("2024-02-01", "ads", 100, "acquisition")],
    }
    import datetime as dt

    with shop(**told) as dataset:
        n_before = dataset.engine.rows("SELECT count(*) FROM log")
        with without_future(dataset, dt.date(2024, 1, 31)) as past:
            rows = past.engine.rows
            assert rows("SELECT max(occurred_at) < TIMESTAMP '2024-02-01', count(refunded_at) FROM log") == [(True, 0)]
            assert rows("SELECT count(*) FROM log WHERE event = 'page_viewed'") == [(0,)]
            assert [who for (who,) in rows("SELECT person_id FROM persons ORDER BY 1")] == ["ann", "bob"]
            assert rows("SELECT score FROM surveys") == [(9,)]
            assert rows("SELECT referred_id, converted_at FROM referrals") == [(None, None)]
            assert rows("SELECT count(*) FROM costs") == [(1,)]
            assert past.days == (dt.date(2024, 1, 1), dt.date(2024, 1, 15))
            assert (past.name, past.timezone, past.currency) == (dataset.name, dataset.timezone, dataset.currency)
        assert dataset.engine.rows("SELECT count(*) FROM log") == n_before


def test_own_features_of_the_shop(root):
    with lk.load(root / "data" / "shop") as dataset:
        assert future_features(customer_features, dataset, "2025-06-30").empty
        # what a device did before it was linked tells that its person came back
        caught = future_features(all_visits, dataset, "2025-06-30")
    assert caught["feature"].tolist() == ["n_visit_days"]
    assert caught["n_customers"].iloc[0] > 0


def all_visits(dataset, cut):
    """Days with a touchpoint, devices linked later included: what one would write at first."""
    rows = dataset.engine.rows(
        f"""SELECT person_id, count(DISTINCT business_day) FROM log JOIN persons USING (person_key)
        WHERE business_day <= DATE '{cut}' GROUP BY 1"""
    )
    frame = customer_features(dataset, cut).frame[["person_id"]]
    return frame.assign(n_visit_days=frame["person_id"].map(dict(rows)))


@pytest.mark.slow
@pytest.mark.real_data
def test_own_features_of_online_retail(shared):
    with lk.load(shared / "data" / "online_retail_uci", mapping="online_retail_uci") as dataset:
        assert future_features(customer_features, dataset, "2011-06-10").empty


def test_functions_that_cannot_be_judged():
    def fails(dataset, cut):
        if dataset.engine.rows("SELECT count(*) FROM log WHERE business_day > DATE '2024-02-01'") == [(0,)]:
            raise ValueError("no rows")
        return customer_features(dataset, cut)

    def several(dataset, cut):
        frame = customer_features(dataset, cut).frame
        return pd.concat([frame, frame])

    with shop(orders=ORDERS) as dataset:
        with pytest.raises(UsageError, match="cannot be made where the log ends on 2024-01-31: no rows"):
            future_features(fails, dataset, CUT)
        with pytest.raises(UsageError, match="'ann' has several rows"):
            future_features(several, dataset, CUT)
        with pytest.raises(UsageError, match="gave list without a column person_id"):
            future_features(lambda dataset, cut: [], dataset, CUT)
        with pytest.raises(UsageError, match="gave DataFrame without a column person_id"):
            future_features(lambda dataset, cut: pd.DataFrame({"x": [1]}), dataset, CUT)
        with pytest.raises(UsageError, match="Nothing had happened by 2023-01-01"):
            future_features(lambda dataset, cut: pd.DataFrame({"person_id": []}), dataset, "2023-01-01")


def test_a_feature_that_tells_labels_alone_is_suspicious(seed):
    random = np.random.default_rng(seed)
    churned = random.random(400) < 0.4
    frame = pd.DataFrame(
        {
            "leak": churned + random.normal(0, 0.2, 400),
            "other way": -churned.astype(float),
            "honest": churned + random.normal(0, 2, 400),
            "missing tells": np.where(churned, np.nan, 1.0),
            "id": [f"c{i}" for i in range(400)],
            "name": np.where(churned, "gone", "here"),
            "constant": 1,
        }
    )
    assert set(suspicious_features(frame, churned)) == {"leak", "other way", "missing tells", "name"}
    assert auc_alone(frame["honest"], churned) == pytest.approx(roc_auc_score(churned, frame["honest"]))
    assert auc_alone(frame["constant"], churned) == auc_alone(frame["id"], churned) == 0.5
    assert auc_alone(frame["honest"], np.zeros(400, dtype=bool)) == 0.5
