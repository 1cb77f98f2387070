"""Alerts: rules over a kitchen's figures and troubles, and when they fire and recover.

Live and in a backtest it is one evaluation.
"""

from twin.analysis.alerts.evaluation import Evaluation
from twin.analysis.alerts.machine import Firing, Machine
from twin.analysis.alerts.rules import FigureCondition, Quiet, Rule, TroubleCondition

__all__ = ["Evaluation", "FigureCondition", "Firing", "Machine", "Quiet", "Rule", "TroubleCondition"]
