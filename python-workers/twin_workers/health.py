"""Whether a training run is well, told from what it logs. Standard library only."""

import math
import statistics
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

# As in HealthParams of src/contracts/jobs.ts; for jobs that have no params for it.
DEFAULTS = {
    "notFinite": "stop",
    "lossSpike": "warn",
    "gradientExplosion": "stop",
    "easyPreferences": "warn",
    "chosenRewardFalls": "warn",
}
_WINDOW = 50
_KNOWN = 10
_SPIKE_DEVIATIONS, _SPIKE_FACTOR = 6.0, 1.5
_EXPLOSION_FACTOR, _EXPLOSION_STEPS = 100.0, 3
_EASY_STEPS = 3
_FALL_STEPS = 20
_IDLE_PERCENT = 10.0


@dataclass(frozen=True)
class Finding:
    """Something is not well: which rule, what is done, in words, and what helps."""

    rule: str
    action: str
    message: str
    hint: str


class Health:
    """Looks at the metrics of each step; every rule but that of numbers speaks once."""

    def __init__(self, actions: Mapping[str, str]) -> None:
        self._actions = {**DEFAULTS, **actions}
        self._losses: deque[float] = deque(maxlen=_WINDOW)
        self._norms: deque[float] = deque(maxlen=_WINDOW)
        self._chosen: list[float] = []
        self._margins: list[float] = []
        self._high_norms = 0
        self._accuracies = 0
        self._said: set[str] = set()

    def look(self, step: int, values: Mapping[str, float], steps: int) -> list[Finding]:
        """What these values show."""
        found = [
            *self._numbers(step, values),
            *self._spike(step, values),
            *self._explosion(step, values),
            *self._easy(step, values, steps),
            *self._falling(step, values),
        ]
        return [finding for finding in found if finding.action != "ignore"]

    def _numbers(self, step: int, values: Mapping[str, float]) -> list[Finding]:
        for name in ("loss", "grad_norm"):
            if not math.isfinite(values.get(name, 0.0)):
                hint = "lower learningRate, raise warmupSteps, or look for broken rows in the data"
                return [Finding("notFinite", self._actions["notFinite"], f"{name} became {values[name]} at step {step}", hint)]
        return []

    def _spike(self, step: int, values: Mapping[str, float]) -> list[Finding]:
        loss = values.get("loss")
        if loss is None or not math.isfinite(loss):
            return []
        earlier = list(self._losses)
        self._losses.append(loss)
        if len(earlier) < _KNOWN:
            return []
        mean, deviation = statistics.fmean(earlier), statistics.pstdev(earlier)
        if loss <= max(mean + _SPIKE_DEVIATIONS * deviation, _SPIKE_FACTOR * mean):
            return []
        message = f"loss jumped to {loss:.3g} at step {step}, from {mean:.3g} on average"
        return self._once("lossSpike", message, "lower learningRate or maxGradNorm, and look at the rows of this step")

    def _explosion(self, step: int, values: Mapping[str, float]) -> list[Finding]:
        norm = values.get("grad_norm")
        if norm is None or not math.isfinite(norm):
            return []
        median = statistics.median(self._norms) if len(self._norms) >= _KNOWN else math.inf
        high = norm > _EXPLOSION_FACTOR * median
        self._high_norms = self._high_norms + 1 if high else 0
        if not high:
            self._norms.append(norm)
        if self._high_norms < _EXPLOSION_STEPS:
            return []
        message = f"gradients exploded: norm {norm:.3g} at step {step}, median {median:.3g}"
        return self._once("gradientExplosion", message, "lower learningRate, raise warmupSteps")

    def _easy(self, step: int, values: Mapping[str, float], steps: int) -> list[Finding]:
        accuracy = values.get("rewards/accuracies")
        # Later on, telling all pairs apart is what was wanted.
        if accuracy is None or step > max(_EASY_STEPS + 2, steps // 10):
            return []
        self._accuracies = self._accuracies + 1 if accuracy >= 1 else 0
        if self._accuracies < _EASY_STEPS:
            return []
        message = f"every pair is told apart already at step {step}: the preferences are too easy to teach anything"
        return self._once("easyPreferences", message, "make rejected answers that are closer to the chosen ones")

    def _falling(self, step: int, values: Mapping[str, float]) -> list[Finding]:
        chosen, margin = values.get("rewards/chosen"), values.get("rewards/margins")
        if chosen is None or margin is None:
            return []
        self._chosen.append(chosen)
        self._margins.append(margin)
        if len(self._chosen) < 2 * _FALL_STEPS:
            return []
        before = statistics.fmean(self._chosen[-2 * _FALL_STEPS : -_FALL_STEPS])
        now = statistics.fmean(self._chosen[-_FALL_STEPS:])
        wider = statistics.fmean(self._margins[-_FALL_STEPS:]) > statistics.fmean(self._margins[-2 * _FALL_STEPS : -_FALL_STEPS])
        if not (wider and now < 0 and now < before):
            return []
        message = f"chosen answers become less likely (reward {before:.3g} to {now:.3g}) while the margin grows, at step {step}"
        return self._once("chosenRewardFalls", message, "raise beta, lower learningRate, or mix the loss `sft` in")

    def _once(self, rule: str, message: str, hint: str) -> list[Finding]:
        if rule in self._said:
            return []
        self._said.add(rule)
        return [Finding(rule, self._actions[rule], message, hint)]


class IdleDevice:
    """Tells a device that was paid for and does nothing: below a tenth of its time for so many minutes of training; speaks once."""

    def __init__(self, action: str, minutes: float) -> None:
        self._action, self._seconds = action, minutes * 60
        self._since: float | None = None
        self._said = False

    def look(self, now: float, percent: float, phase: str) -> Finding | None:
        """A sample of how busy it is, by a clock in seconds."""
        if phase != "train" or percent >= _IDLE_PERCENT:
            self._since = None
            return None
        self._since = now if self._since is None else self._since
        if self._said or self._action == "ignore" or now - self._since < self._seconds:
            return None
        self._said = True
        message = f"the device was busy for less than {_IDLE_PERCENT:g} % of the time for {self._seconds / 60:g} min of training"
        return Finding("idleDevice", self._action, message, "raise batchSize, or look at what the steps wait for: data, disk or CPU")
