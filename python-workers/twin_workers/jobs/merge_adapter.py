"""
Merges an adapter into its base, and compares the logits of both on fixed prompts: what was trained is what will be served.

Where every weight was tuned, there is nothing to merge, and the model is taken as it is.
"""

from twin_workers.artifacts import new_folder, write_json
from twin_workers.attempt import Job, libraries
from twin_workers.likeness import fixed_prompts, logits
from twin_workers.model_folder import check_template, load_tokenizer, load_tuned, read_card, save_model, write_card
from twin_workers.protocol import JobFailure


def run(job: Job) -> list[str]:
    """Write the merged model, unless it differs from base and adapter by more than the request allows."""
    base, adapter = job.input("base"), job.input("adapter")
    check_template(job.prompt_template)

    job.phase("load")
    base_card = read_card(base, ("base", "merged"), job.prompt_template["digest"])
    card = read_card(adapter, ("adapter", "full"), job.prompt_template["digest"])
    tokenizer = load_tokenizer(base)
    model = load_tuned(base, adapter, card)
    rows = fixed_prompts(tokenizer, job.prompt_template["text"])

    job.phase("merge")
    before = logits(model, rows)
    try:
        merged = model if card["kind"] == "full" else model.merge_and_unload(safe_merge=True)
    except ValueError as error:
        raise JobFailure("model", f"The adapter cannot be merged: {error}", where=str(adapter)) from error
    difference = max((one - other).abs().max().item() for one, other in zip(before, logits(merged, rows), strict=True))
    job.progress(len(rows), len(rows), "prompts")
    # Not `>`: a difference that is not a number must not pass.
    if not difference <= job.params["maxLogitDifference"]:
        message = f"Merged, the model is another one: logits differ by {difference:.3g}, allowed are {job.params['maxLogitDifference']:g}"
        raise JobFailure(
            "model", message, where=str(adapter), hint="raise maxLogitDifference for models of 16 bits, or serve base and adapter"
        )

    job.phase("save")
    with new_folder(job.outputs["model"]) as folder:
        save_model(merged, tokenizer, folder, job.prompt_template)
        write_card(folder, "merged", base_card["toy"], job.prompt_template)
    summary = {
        "maxLogitDifference": difference,
        "prompts": len(rows),
        "promptTemplate": job.prompt_template["digest"],
        "libraries": dict(libraries()),
    }
    write_json(job.outputs["summary"], summary)
    return ["model", "summary"]
