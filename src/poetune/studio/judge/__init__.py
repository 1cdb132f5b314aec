"""Candidates are ranked: each call is reserved before it is sent, and its answer kept before it is used."""

from poetune.studio.judge.asking import ask
from poetune.studio.judge.critic import features
from poetune.studio.judge.forecast import Forecast, forecast
from poetune.studio.judge.ranking import Judged, Placed, best, code_of, rank, standing

__all__ = ["Forecast", "Judged", "Placed", "ask", "best", "code_of", "features", "forecast", "rank", "standing"]
