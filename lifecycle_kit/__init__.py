"""lifecycle-kit: how many customers, and who, are in each of the company's own stages, on any day.

The table of contents. Names are loaded when they are first used, so importing the kit costs nothing.

>>> import lifecycle_kit as lk
>>> shop = lk.load("data/shop")                                  # doctest: +SKIP
>>> lk.snapshot(shop, lk.load_model("shop"), "2025-06-30").to_frame()   # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# public name -> the module it lives in
_HOME = {
    "load": "contract.load",
    "open_dataset": "contract.open_dataset",
    "DECLARATIONS": "contract.declared",
    "Dataset": "contract.dataset",
    "CheckReport": "contract.report",
    "StageModel": "stages.model",
    "load_model": "stages.model_file",
    "parse_model": "stages.model_file",
    "shipped_models": "stages.model_file",
    "suited_model": "stages.model_file",
    "snapshot": "stages.snapshot",
    "snapshot_changes": "stages.snapshot",
    "Snapshot": "stages.snapshot",
    "history": "stages.history",
    "History": "stages.history",
    "occupancy": "stages.occupancy",
    "Occupancy": "stages.occupancy",
    "snapshots": "stages.snapshots",
    "open_state": "stages.state",
    "State": "stages.state",
    "person": "stages.person",
    "PersonTimeline": "stages.person",
    "transitions": "movement.transitions",
    "Transitions": "movement.transitions",
    "BASE_METRICS": "kpis.declared",
    "compute_kpis": "kpis.compute",
    "explain_kpi": "kpis.explain",
    "KPIValues": "kpis.values",
    "scorecard": "kpis.scorecard",
    "scorecard_of": "kpis.scorecard",
    "Scorecard": "kpis.scorecard",
    "KPI": "kpis.declared",
    "Catalogue": "kpis.declared",
    "load_catalogue": "kpis.catalogue_file",
    "parse_catalogue": "kpis.catalogue_file",
    "retention": "kpis.cohorts",
    "Retention": "kpis.cohorts",
    "customer_base_audit": "kpis.audit",
    "CustomerBaseAudit": "kpis.audit",
    "JourneyRules": "journeys.declared",
    "paths": "journeys.paths",
    "Paths": "journeys.paths",
    "journey_graph": "journeys.graph",
    "JourneyGraph": "journeys.graph",
    "step_matrix": "journeys.positions",
    "StepMatrix": "journeys.positions",
    "funnel": "journeys.funnel",
    "Funnel": "journeys.funnel",
    "attribution": "journeys.attribution_from_log",
    "attribution_of": "journeys.attribution",
    "Attribution": "journeys.attribution",
    "crosswalk": "journeys.crosswalk",
    "Crosswalk": "journeys.crosswalk",
    "event_log": "journeys.event_log",
    "segment_view": "journeys.both",
    "SegmentView": "journeys.both",
    "person_path": "journeys.both",
    "purchase_statistics": "clv.statistics",
    "PurchaseStatistics": "clv.statistics",
    "statistic_counts": "clv.statistics",
    "cdnow": "datasets",
    "complete_journey": "datasets",
    "SimpleCLV": "clv.simple",
    "NBD": "clv.nbd",
    "BGNBD": "clv.bgnbd",
    "MBGNBD": "clv.mbgnbd",
    "BGCNBD": "clv.mbgcnbd",
    "MBGCNBD": "clv.mbgcnbd",
    "ParetoNBD": "clv.pareto_nbd",
    "GammaGamma": "clv.gamma_gamma",
    "BGBB": "clv.bgbb",
    "ShiftedBetaGeometric": "clv.shifted_beta_geometric",
    "BetaDiscreteWeibull": "clv.beta_discrete_weibull",
    "survivors": "clv.contracts",
    "backtest": "clv.backtest",
    "compare_backtests": "clv.side_by_side",
    "BackTest": "clv.backtest",
    "customer_value": "clv.value",
    "CustomerValue": "clv.value",
    "ValueMovers": "clv.movers",
    "simple_beside": "clv.simple_beside",
    "one_more_customer": "clv.one_more",
    "OneMoreCustomer": "clv.one_more",
    "gap_curve": "churn.gaps",
    "lapse": "churn.lapse",
    "Lapse": "churn.lapse",
    "FixedDays": "churn.lapse_rules",
    "GapCurve": "churn.lapse_rules",
    "OwnRhythm": "churn.lapse_rules",
    "PAlive": "churn.lapse_rules",
    "ContractEnd": "churn.lapse_rules",
    "rfm": "churn.rfm",
    "RFM": "churn.rfm",
    "segments": "churn.segments",
    "Segments": "churn.segment_result",
    "risk_value": "churn.risk_value",
    "RiskValueGrid": "churn.risk_value",
    "risk_model": "churn.risk",
    "RiskModel": "churn.risk_result",
    "RiskScores": "churn.risk_result",
    "risk_from_frame": "churn.risk_from_frame",
    "save_risk_model": "churn.saved",
    "load_risk_model": "churn.saved",
    "customer_features": "churn.features",
    "check_no_future": "churn.leakage",
    "future_features": "churn.leakage",
    "simulate_shop": "simulate",
    "write_table": "export",
    "LifecycleError": "errors",
    "UsageError": "errors",
    "DataError": "errors",
    "RunError": "errors",
    "ModelError": "errors",
    "UnknownNameError": "errors",
}

__all__ = ["__version__", *_HOME]

if TYPE_CHECKING:
    from lifecycle_kit.churn.features import customer_features as customer_features
    from lifecycle_kit.churn.gaps import gap_curve as gap_curve
    from lifecycle_kit.churn.lapse import Lapse as Lapse
    from lifecycle_kit.churn.lapse import lapse as lapse
    from lifecycle_kit.churn.lapse_rules import ContractEnd as ContractEnd
    from lifecycle_kit.churn.lapse_rules import FixedDays as FixedDays
    from lifecycle_kit.churn.lapse_rules import GapCurve as GapCurve
    from lifecycle_kit.churn.lapse_rules import OwnRhythm as OwnRhythm
    from lifecycle_kit.churn.lapse_rules import PAlive as PAlive
    from lifecycle_kit.churn.leakage import check_no_future as check_no_future
    from lifecycle_kit.churn.leakage import future_features as future_features
    from lifecycle_kit.churn.rfm import RFM as RFM
    from lifecycle_kit.churn.rfm import rfm as rfm
    from lifecycle_kit.churn.risk import risk_model as risk_model
    from lifecycle_kit.churn.risk_from_frame import risk_from_frame as risk_from_frame
    from lifecycle_kit.churn.risk_result import RiskModel as RiskModel
    from lifecycle_kit.churn.risk_result import RiskScores as RiskScores
    from lifecycle_kit.churn.risk_value import RiskValueGrid as RiskValueGrid
    from lifecycle_kit.churn.risk_value import risk_value as risk_value
    from lifecycle_kit.churn.saved import load_risk_model as load_risk_model
    from lifecycle_kit.churn.saved import save_risk_model as save_risk_model
    from lifecycle_kit.churn.segment_result import Segments as Segments
    from lifecycle_kit.churn.segments import segments as segments
    from lifecycle_kit.clv.backtest import BackTest as BackTest
    from lifecycle_kit.clv.backtest import backtest as backtest
    from lifecycle_kit.clv.beta_discrete_weibull import BetaDiscreteWeibull as BetaDiscreteWeibull
    from lifecycle_kit.clv.bgbb import BGBB as BGBB
    from lifecycle_kit.clv.bgnbd import BGNBD as BGNBD
    from lifecycle_kit.clv.contracts import survivors as survivors
    from lifecycle_kit.clv.gamma_gamma import GammaGamma as GammaGamma
    from lifecycle_kit.clv.mbgcnbd import BGCNBD as BGCNBD
    from lifecycle_kit.clv.mbgcnbd import MBGCNBD as MBGCNBD
    from lifecycle_kit.clv.mbgnbd import MBGNBD as MBGNBD
    from lifecycle_kit.clv.movers import ValueMovers as ValueMovers
    from lifecycle_kit.clv.nbd import NBD as NBD
    from lifecycle_kit.clv.one_more import OneMoreCustomer as OneMoreCustomer
    from lifecycle_kit.clv.one_more import one_more_customer as one_more_customer
    from lifecycle_kit.clv.pareto_nbd import ParetoNBD as ParetoNBD
    from lifecycle_kit.clv.shifted_beta_geometric import ShiftedBetaGeometric as ShiftedBetaGeometric
    from lifecycle_kit.clv.side_by_side import compare_backtests as compare_backtests
    from lifecycle_kit.clv.simple import SimpleCLV as SimpleCLV
    from lifecycle_kit.clv.simple_beside import simple_beside as simple_beside
    from lifecycle_kit.clv.statistics import PurchaseStatistics as PurchaseStatistics
    from lifecycle_kit.clv.statistics import purchase_statistics as purchase_statistics
    from lifecycle_kit.clv.statistics import statistic_counts as statistic_counts
    from lifecycle_kit.clv.value import CustomerValue as CustomerValue
    from lifecycle_kit.clv.value import customer_value as customer_value
    from lifecycle_kit.contract.dataset import Dataset as Dataset
    from lifecycle_kit.contract.declared import DECLARATIONS as DECLARATIONS
    from lifecycle_kit.contract.load import load as load
    from lifecycle_kit.contract.open_dataset import open_dataset as open_dataset
    from lifecycle_kit.contract.report import CheckReport as CheckReport
    from lifecycle_kit.datasets import cdnow as cdnow
    from lifecycle_kit.datasets import complete_journey as complete_journey
    from lifecycle_kit.errors import DataError as DataError
    from lifecycle_kit.errors import LifecycleError as LifecycleError
    from lifecycle_kit.errors import ModelError as ModelError
    from lifecycle_kit.errors import RunError as RunError
    from lifecycle_kit.errors import UnknownNameError as UnknownNameError
    from lifecycle_kit.errors import UsageError as UsageError
    from lifecycle_kit.export import write_table as write_table
    from lifecycle_kit.journeys.attribution import Attribution as Attribution
    from lifecycle_kit.journeys.attribution import attribution_of as attribution_of
    from lifecycle_kit.journeys.attribution_from_log import attribution as attribution
    from lifecycle_kit.journeys.both import SegmentView as SegmentView
    from lifecycle_kit.journeys.both import person_path as person_path
    from lifecycle_kit.journeys.both import segment_view as segment_view
    from lifecycle_kit.journeys.crosswalk import Crosswalk as Crosswalk
    from lifecycle_kit.journeys.crosswalk import crosswalk as crosswalk
    from lifecycle_kit.journeys.declared import JourneyRules as JourneyRules
    from lifecycle_kit.journeys.event_log import event_log as event_log
    from lifecycle_kit.journeys.funnel import Funnel as Funnel
    from lifecycle_kit.journeys.funnel import funnel as funnel
    from lifecycle_kit.journeys.graph import JourneyGraph as JourneyGraph
    from lifecycle_kit.journeys.graph import journey_graph as journey_graph
    from lifecycle_kit.journeys.paths import Paths as Paths
    from lifecycle_kit.journeys.paths import paths as paths
    from lifecycle_kit.journeys.positions import StepMatrix as StepMatrix
    from lifecycle_kit.journeys.positions import step_matrix as step_matrix
    from lifecycle_kit.kpis.audit import CustomerBaseAudit as CustomerBaseAudit
    from lifecycle_kit.kpis.audit import customer_base_audit as customer_base_audit
    from lifecycle_kit.kpis.catalogue_file import load_catalogue as load_catalogue
    from lifecycle_kit.kpis.catalogue_file import parse_catalogue as parse_catalogue
    from lifecycle_kit.kpis.cohorts import Retention as Retention
    from lifecycle_kit.kpis.cohorts import retention as retention
    from lifecycle_kit.kpis.compute import compute_kpis as compute_kpis
    from lifecycle_kit.kpis.declared import BASE_METRICS as BASE_METRICS
    from lifecycle_kit.kpis.declared import KPI as KPI
    from lifecycle_kit.kpis.declared import Catalogue as Catalogue
    from lifecycle_kit.kpis.explain import explain_kpi as explain_kpi
    from lifecycle_kit.kpis.scorecard import Scorecard as Scorecard
    from lifecycle_kit.kpis.scorecard import scorecard as scorecard
    from lifecycle_kit.kpis.scorecard import scorecard_of as scorecard_of
    from lifecycle_kit.kpis.values import KPIValues as KPIValues
    from lifecycle_kit.movement.transitions import Transitions as Transitions
    from lifecycle_kit.movement.transitions import transitions as transitions
    from lifecycle_kit.simulate import simulate_shop as simulate_shop
    from lifecycle_kit.stages.history import History as History
    from lifecycle_kit.stages.history import history as history
    from lifecycle_kit.stages.model import StageModel as StageModel
    from lifecycle_kit.stages.model_file import load_model as load_model
    from lifecycle_kit.stages.model_file import parse_model as parse_model
    from lifecycle_kit.stages.model_file import shipped_models as shipped_models
    from lifecycle_kit.stages.model_file import suited_model as suited_model
    from lifecycle_kit.stages.occupancy import Occupancy as Occupancy
    from lifecycle_kit.stages.occupancy import occupancy as occupancy
    from lifecycle_kit.stages.person import PersonTimeline as PersonTimeline
    from lifecycle_kit.stages.person import person as person
    from lifecycle_kit.stages.snapshot import Snapshot as Snapshot
    from lifecycle_kit.stages.snapshot import snapshot as snapshot
    from lifecycle_kit.stages.snapshot import snapshot_changes as snapshot_changes
    from lifecycle_kit.stages.snapshots import snapshots as snapshots
    from lifecycle_kit.stages.state import State as State
    from lifecycle_kit.stages.state import open_state as open_state


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'lifecycle_kit' has no attribute {name!r}")
    value = getattr(import_module(f"lifecycle_kit.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
