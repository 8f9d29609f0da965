"""Every calculation method by name, with its parameters, its words and what it promises."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol

from mapping.columns import FloatArray
from mapping.estimators import averages, middles, sums, trends, working
from mapping.estimators.beginnings import RUNNING, Running, asked_again, going_on
from mapping.estimators.blocks import SHORT, Kernel, each
from mapping.samples import Sample
from mapping.scales import is_number
from mapping.wording import ENGLISH, Translator, marked

NOT_WEIGHED = marked("Its formula has no weights: every piece that counts counts alike.")
"""What is said of a method that leaves out what pieces weigh."""


class Estimator(Protocol):
    """A method with its parameters settled."""

    def __call__(self, sample: Sample) -> FloatArray:
        """One estimate a segment, NaN where the method gives none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A number that a method can be tuned with, from ``lowest`` to ``highest``."""

    name: str
    default: float
    lowest: float
    highest: float
    is_whole: bool = False

    def takes(self, value: object) -> bool:
        """Whether the value is a number of this kind and range; true and false are none."""
        return (
            isinstance(value, int | float)
            and is_number(value)
            and self.lowest <= value <= self.highest
            and (not self.is_whole or value == int(value))
        )

    def sentence(self) -> str:
        """What it must be, in a sentence."""
        kind = "a whole number from " if self.is_whole else ""
        return f"The parameter {self.name} must be {kind}{self.lowest:g} to {self.highest:g}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A calculation method.

    Attributes:
        name: What a rule calls it.
        label: Names it in the middle of a sentence, its tie rule included.
        estimate: Takes a sample and the parameters by name; one estimate a segment.
        worked: The same of a sample of one segment that has an estimate; the formula with its
            numbers, the estimate last. Takes ``words`` besides, the language.
        parameters: What it can be tuned with.
        is_monotone: Whether a better value never lowers the estimate.
        is_ordered: Whether it depends on the order or the dates of the pieces.
        is_weighed: Whether weights enter; without, a weight only says whether a piece counts.
        phrase: The label with parameters in braces; empty for the label as it is.
        notes: What else a person should know, a text each.
    """

    name: str
    label: str
    estimate: Callable[..., FloatArray]
    worked: Callable[..., str]
    parameters: tuple[Parameter, ...] = ()
    is_monotone: bool = True
    is_ordered: bool = False
    is_weighed: bool = False
    phrase: str = ""
    notes: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """What else a person should know, in English; empty for nothing."""
        return " ".join(self.notes)

    def problems(self, given: Mapping[str, Any]) -> tuple[str, ...]:
        """What is wrong with parameters given for this method, a sentence each."""
        known = {parameter.name: parameter for parameter in self.parameters}
        unknown = sorted(given.keys() - known.keys())
        return (
            *(f"The method {self.name} has no parameter {name}." for name in unknown),
            *(
                parameter.sentence()
                for name, parameter in known.items()
                if name in given and not parameter.takes(given[name])
            ),
        )

    def settled(self, given: Mapping[str, float]) -> dict[str, float]:
        """All parameters, those not given at their defaults."""
        defaults = {parameter.name: parameter.default for parameter in self.parameters}
        return {**defaults, **given}

    def estimator(self, given: Mapping[str, float]) -> Estimator:
        """The method with its parameters settled."""
        return partial(self.estimate, **self.settled(given))

    def running(self, given: Mapping[str, float], length: int) -> Running | None:
        """The method's estimates of the beginnings of segments, as they grow.

        Args:
            given: Its parameters.
            length: How long the segments are, 1 or more.

        Returns:
            None where beginnings are better laid out and estimated as segments of their own.
        """
        settled = self.settled(given)
        if self.name in RUNNING:
            return going_on(self.name, **settled)
        if self.name in _KERNELS and length <= SHORT:
            return asked_again(_KERNELS[self.name], **settled)
        return None

    def named(self, given: Mapping[str, float]) -> str:
        """The method in the middle of a sentence, with its parameters."""
        settled = {name: f"{value:g}" for name, value in self.settled(given).items()}
        return self.phrase.format(**settled) if self.phrase else self.label


def estimates(sample: Sample, wanted: Mapping[str, Mapping[str, float]]) -> dict[str, FloatArray]:
    """Estimate by several methods at once; what they share is computed once.

    Args:
        sample: The evidence.
        wanted: Parameters by the name of the method, those left out take their defaults.

    Returns:
        For each method what its ``estimate`` gives, bit for bit.
    """
    settled = {name: METHODS[name].settled(given) for name, given in wanted.items()}
    shared = each(
        sample,
        {name: partial(_KERNELS[name], **settled[name]) for name in wanted if name in _KERNELS},
    )
    alone = {name: _SUMS[name](sample, **settled[name]) for name in wanted if name in _SUMS}
    return {name: {**shared, **alone}[name] for name in wanted}


def _estimate(sample: Sample, *, kernel: Kernel, **parameters: float) -> FloatArray:
    column: FloatArray = each(sample, {"": partial(kernel, **parameters)})[""]
    return column


def _without_weights(
    sample: Sample, *, work: Callable[..., str], words: Translator = ENGLISH, **parameters: float
) -> str:
    text = work(sample, words=words, **parameters)
    is_even = bool((sample.weights == 1.0).all())
    return text if is_even else f"{words.say('Weights do not enter this method.')} {text}"


_KERNELS: Mapping[str, Kernel] = MappingProxyType(
    {
        "weighted_median": middles.weighted_median,
        "median": middles.median,
        "mode": middles.mode,
        "recent_n": averages.recent_n,
        "best_n": averages.best_n,
        "high_last": averages.high_last,
        "decaying_average": averages.decaying_average,
        "weighted_recent": averages.weighted_recent,
        "power_law": trends.power_law,
        "linear_trend": trends.linear_trend,
        "best_fit": trends.best_fit,
    }
)
"""Methods that need a segment's pieces side by side."""

_SUMS: Mapping[str, Callable[..., FloatArray]] = MappingProxyType(
    {
        "weighted_average": sums.weighted_average,
        "mean": sums.mean,
        "latest": sums.latest,
        "highest": sums.highest,
        "n_mastery": sums.n_mastery,
        "evidence_weighted": sums.evidence_weighted,
    }
)
"""Methods that read the rows as they stand."""


def _method(
    name: str,
    label: str,
    note: str = "",
    **words: Any,  # noqa: ANN401 - any field of Method
) -> Method:
    work: Callable[..., str] = getattr(working, name)
    is_weighed = words.get("is_weighed", False)
    return Method(
        name=name,
        label=label,
        estimate=_SUMS[name] if name in _SUMS else partial(_estimate, kernel=_KERNELS[name]),
        worked=work if is_weighed else partial(_without_weights, work=work),
        notes=tuple(filter(None, (note, "" if is_weighed else NOT_WEIGHED))),
        **words,
    )


_RECENCY = Parameter(name="w", default=0.65, lowest=0.01, highest=0.99)
_FEW = Parameter(name="n", default=3, lowest=1, highest=100, is_whole=True)
_TIMES = Parameter(name="n", default=3, lowest=1, highest=10, is_whole=True)
_HALF_LIFE = Parameter(name="half_life_days", default=180, lowest=1, highest=3650)

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.name: method
        for method in (
            _method("weighted_average", marked("weighted average"), is_weighed=True),
            _method("mean", marked("plain mean")),
            _method(
                "weighted_median",
                marked("weighted median"),
                is_weighed=True,
                note=marked("The lowest score at which half of the weight is reached."),
            ),
            _method("median", marked("median")),
            _method(
                "mode",
                marked("most frequent level (of equals the higher)"),
                is_monotone=False,
                note=marked("Of equally frequent levels the higher one is taken."),
            ),
            _method("latest", marked("latest score"), is_ordered=True),
            _method("highest", marked("highest score")),
            _method(
                "recent_n",
                marked("mean of the newest scores"),
                is_ordered=True,
                parameters=(_FEW,),
                phrase=marked("mean of the newest {n}"),
                note=marked("Of fewer scores it is the mean of all."),
            ),
            _method(
                "best_n",
                marked("mean of the highest scores"),
                parameters=(_FEW,),
                phrase=marked("mean of the highest {n}"),
                note=marked("Of fewer scores it is the mean of all."),
            ),
            _method(
                "high_last",
                marked("average of the highest and the latest score"),
                is_ordered=True,
            ),
            _method(
                "decaying_average",
                marked("decaying average"),
                is_ordered=True,
                parameters=(_RECENCY,),
                phrase=marked("decaying average with {w} for each newer score"),
                note=marked(
                    "Each newer score moves the average towards itself by the share w. Canvas "
                    "calls it Decaying Average, JumpRope Rolling Average."
                ),
            ),
            _method(
                "weighted_recent",
                marked("average of the latest score and the mean before it"),
                is_ordered=True,
                parameters=(_RECENCY,),
                phrase=marked("average of the latest score, with {w}, and the mean before it"),
                note=marked(
                    "Canvas calls it Weighted Average and stores it as decaying_average, Otus "
                    "calls it Average."
                ),
            ),
            _method(
                "n_mastery",
                marked("mean of the scores at mastery"),
                is_monotone=False,
                parameters=(_TIMES,),
                phrase=marked("mean of the scores at mastery, of which there must be {n},"),
                note=marked(
                    "With fewer scores at mastery there is no estimate. One that has just reached "
                    "mastery may lower the mean of higher ones. Canvas calls it Number of Times."
                ),
            ),
            _method(
                "power_law",
                marked("power law trend"),
                is_monotone=False,
                is_ordered=True,
                note=marked(
                    "A better old score can lower it, for the curve then rises less. Where a score "
                    "is 0 it is undefined, and the plain mean is taken."
                ),
            ),
            _method(
                "linear_trend",
                marked("linear trend"),
                is_monotone=False,
                is_ordered=True,
                note=marked("A better old score can lower it, for the line then rises less."),
            ),
            _method(
                "best_fit",
                marked("best fitting trend"),
                is_monotone=False,
                is_ordered=True,
                note=marked(
                    "Of average, line and power curve the one that misses the scores least; of "
                    "equals the plainest."
                ),
            ),
            _method(
                "evidence_weighted",
                marked("weighted average with ageing evidence"),
                is_ordered=True,
                is_weighed=True,
                parameters=(_HALF_LIFE,),
                phrase=marked(
                    "weighted average in which weights halve every {half_life_days} days"
                ),
                note=marked("Age is counted back from the newest piece."),
            ),
        )
    }
)
"""Every method by the name that a rule calls it."""
