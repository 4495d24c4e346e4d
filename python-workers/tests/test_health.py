import pytest

from twin_workers.health import Health, IdleDevice


def findings(series, actions=None, steps=1000):
    """What was found over a series of values, as (step, rule, action)."""
    health = Health(actions or {})
    return [(step, f.rule, f.action) for step, values in enumerate(series, start=1) for f in health.look(step, values, steps)]


CALM = [{"loss": 2.0 + 0.1 * (step % 3), "grad_norm": 1.0} for step in range(30)]


def test_a_calm_run_is_left_alone():
    assert findings(CALM) == []


@pytest.mark.parametrize("values", [{"loss": float("nan")}, {"loss": 1.0, "grad_norm": float("inf")}])
def test_what_is_no_number_stops_the_run(values):
    assert findings([*CALM, values]) == [(31, "notFinite", "stop")]


def test_a_jump_of_the_loss_is_told_once():
    assert findings([*CALM, {"loss": 9.0}, {"loss": 9.5}]) == [(31, "lossSpike", "warn")]


def test_gradients_that_explode_stop_the_run_at_the_third_step_in_a_row():
    assert findings([*CALM, *[{"loss": 2.0, "grad_norm": 500.0}] * 4]) == [(33, "gradientExplosion", "stop")]
    assert findings([*CALM, {"grad_norm": 500.0}, {"grad_norm": 1.0}, {"grad_norm": 500.0}, {"grad_norm": 1.0}]) == []


def test_preferences_that_are_all_told_apart_at_once_are_too_easy():
    assert findings([{"rewards/accuracies": 1.0}] * 5) == [(3, "easyPreferences", "warn")]
    late = [{"rewards/accuracies": 0.6}] * 200 + [{"rewards/accuracies": 1.0}] * 50
    assert findings(late) == [], "told apart in the end is what was wanted"


def test_chosen_answers_that_become_less_likely_while_the_margin_grows():
    series = [{"rewards/chosen": -0.01 * step, "rewards/margins": 0.02 * step} for step in range(60)]
    assert findings(series) == [(40, "chosenRewardFalls", "warn")]
    rising = [{"rewards/chosen": 0.01 * step, "rewards/margins": 0.02 * step} for step in range(60)]
    assert findings(rising) == []


def test_a_rule_can_be_given_another_action_or_none():
    assert findings([*CALM, {"loss": 9.0}], {"lossSpike": "roll-back"}) == [(31, "lossSpike", "roll-back")]
    assert findings([*CALM, {"loss": 9.0}], {"lossSpike": "ignore"}) == []


def test_an_idle_device_is_told_once_after_its_time_of_training():
    idle = IdleDevice("pause", minutes=1)
    samples = [(second, 4.0, "load") for second in range(100)] + [(100 + second, 4.0, "train") for second in range(200)]
    assert [(now, f.rule, f.action) for now, busy, phase in samples if (f := idle.look(now, busy, phase))] == [(160, "idleDevice", "pause")]


def test_a_device_that_works_now_and_then_is_not_idle():
    idle = IdleDevice("warn", minutes=1)
    assert [idle.look(second, 60.0 if second % 50 == 0 else 0.0, "train") for second in range(600)] == [None] * 600
