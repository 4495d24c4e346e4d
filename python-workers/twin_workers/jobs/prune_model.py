"""Takes out of a model what matters least, by samples of what it learned from, and measures what that cost: healing comes after."""

from typing import TYPE_CHECKING

from twin_workers.artifacts import new_folder, write_json
from twin_workers.attempt import Job, libraries
from twin_workers.calibration import calibration_rows
from twin_workers.likeness import fixed_prompts, logits, mean_kl, same_first_choice, tokens_per_second
from twin_workers.model_folder import check_template, load_model, load_tokenizer, read_card, save_model, weights_bytes, write_card
from twin_workers.protocol import JobFailure
from twin_workers.pruning import cut_heads, cut_layers, cut_neurons, input_norms, layer_influence, linear_layers, zero_weights

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def run(job: Job) -> list[str]:
    """Write the pruned model, and how far it is from the whole one."""
    source, params, template = job.input("model"), job.params, job.prompt_template
    check_template(template)

    job.phase("load")
    card = read_card(source, ("base", "merged"), template["digest"])
    tokenizer, model = load_tokenizer(source), load_model(source, full_precision=True)
    if model.config.model_type != "llama":
        message = f"Only models of the Llama architecture can be pruned here, this one is {model.config.model_type}"
        raise JobFailure("model", message, where=str(source))
    prompts = fixed_prompts(tokenizer, template["text"])
    before, speed, parameters = logits(model, prompts), tokens_per_second(model, prompts), model.num_parameters()

    job.phase("calibrate")
    rows = [] if params["method"] == "magnitude" else calibration_rows(job, tokenizer, model)

    job.phase("prune")
    _prune(model, params["method"], params["share"], rows)

    job.phase("save")
    with new_folder(job.outputs["model"]) as folder:
        save_model(model, tokenizer, folder, template)
        write_card(folder, "merged", card["toy"], template)
        size = weights_bytes(folder)
    after = logits(model, prompts)
    zeros, weights = zip(*((int((one.weight == 0).sum()), one.weight.numel()) for one in linear_layers(model).values()), strict=True)
    summary = {
        "method": params["method"],
        "share": params["share"],
        "parameters": model.num_parameters(),
        "sourceParameters": parameters,
        "zeros": sum(zeros) / sum(weights),
        "bytes": size,
        "sourceBytes": weights_bytes(source),
        "meanKl": mean_kl(before, after),
        "sameFirstChoice": same_first_choice(before, after),
        "tokensPerSecond": {"model": speed, "compressed": tokens_per_second(model, prompts)},
        "calibrationRows": len(rows),
        "libraries": dict(libraries()),
    }
    write_json(job.outputs["summary"], summary)
    return ["model", "summary"]


def _prune(model: "PreTrainedModel", method: str, share: float, rows: list[list[int]]) -> None:
    match method:
        case "magnitude":
            zero_weights(model, share, None)
        case "wanda":
            zero_weights(model, share, input_norms(model, rows))
        case "neurons":
            cut_neurons(model, share, input_norms(model, rows))
        case "heads":
            cut_heads(model, share, input_norms(model, rows))
        case "layers":
            cut_layers(model, share, layer_influence(model, rows))
        case _:
            raise JobFailure("configuration", f"There is no pruning method {method}", where="params.method")
