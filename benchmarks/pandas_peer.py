"""The methods as a script with pandas has them: a function of a pair's frame, and apply."""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.district import DAY, Rows
from benchmarks.mastery_peers import CUTS


def pandas_rate(rows: Rows, work: Callable[[pd.DataFrame], object]) -> float:
    """Rows a second of ``groupby.apply``."""
    frame = pd.DataFrame({name: getattr(rows, name) for name in ("learner", "competency")})
    frame["value"], frame["weight"] = rows.value, rows.weight
    frame["day"] = rows.occurred_at // DAY
    began = time.process_time()
    frame.groupby(["learner", "competency"], sort=False)[["value", "weight", "day"]].apply(work)
    return rows.learner.size / (time.process_time() - began)


def _weighted_median(pair: pd.DataFrame) -> float:
    ranked = pair.sort_values("value")
    return ranked["value"][ranked["weight"].cumsum() >= ranked["weight"].sum() / 2].iloc[0]


def _weighted_recent(pair: pd.DataFrame) -> float:
    values = pair["value"]
    if values.size == 1:
        return values.iloc[0]
    return 0.65 * values.iloc[-1] + 0.35 * values.iloc[:-1].mean()


def _n_mastery(pair: pd.DataFrame) -> float:
    kept = pair["value"][pair["value"] >= 3]
    return kept.mean() if kept.size >= 3 else np.nan


def _fit(places: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    return (0.0, values[0]) if values.size == 1 else tuple(np.polyfit(places, values, 1))


def _line(pair: pd.DataFrame) -> np.ndarray:
    values = pair["value"].to_numpy()
    places = np.arange(1, values.size + 1)
    slope, start = _fit(places, values)
    return start + slope * places


def _power(pair: pd.DataFrame) -> np.ndarray:
    values = pair["value"].to_numpy()
    places = np.log(np.arange(1, values.size + 1))
    slope, start = _fit(places, np.log(values))
    return np.exp(start + slope * places)


def _best_fit(pair: pd.DataFrame) -> float:
    values = pair["value"].to_numpy()
    curves = [np.full(values.size, values.mean()), _line(pair), _power(pair)]
    best = np.argmin([np.abs(curve - values).sum() for curve in curves])
    return np.clip(curves[best][-1], 0, 4)


def _evidence_weighted(pair: pd.DataFrame) -> float:
    age = pair["day"].max() - pair["day"]
    return np.average(pair["value"], weights=pair["weight"] * 0.5 ** (age / 180))


APPLIED: dict[str, Callable[[pd.DataFrame], float]] = {
    "weighted_average": lambda pair: np.average(pair["value"], weights=pair["weight"]),
    "mean": lambda pair: pair["value"].mean(),
    "weighted_median": _weighted_median,
    "median": lambda pair: pair["value"].median(),
    "mode": lambda pair: pd.Series(np.digitize(pair["value"], CUTS)).mode().max(),
    "latest": lambda pair: pair["value"].iloc[-1],
    "highest": lambda pair: pair["value"].max(),
    "recent_n": lambda pair: pair["value"].tail(3).mean(),
    "best_n": lambda pair: pair["value"].nlargest(3).mean(),
    "high_last": lambda pair: (pair["value"].max() + pair["value"].iloc[-1]) / 2,
    "decaying_average": lambda pair: pair["value"].ewm(alpha=0.65, adjust=False).mean().iloc[-1],
    "weighted_recent": _weighted_recent,
    "n_mastery": _n_mastery,
    "power_law": lambda pair: min(4.0, _power(pair)[-1]),
    "linear_trend": lambda pair: np.clip(_line(pair)[-1], 0, 4),
    "best_fit": _best_fit,
    "evidence_weighted": _evidence_weighted,
}
"""Every method of one pair, for values above 0."""


def all_applied(pair: pd.DataFrame) -> pd.Series:
    """Every method of one pair, a column each."""
    return pd.Series({name: work(pair) for name, work in APPLIED.items()})
