"""A registered model that answers: `load {folder, promptTemplateDigest}`, then `answer {instruction, maxNewTokens, temperature, seed}`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from twin_workers.protocol import JobFailure
from twin_workers.services.channel import Request, RequestFailure, Service


def start() -> Service:
    """Say hello at once: what there is to load comes with the first request."""
    torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    chat = ChatModel()
    return Service({"device": "cuda" if torch.cuda.is_available() else "cpu"}, {"load": chat.load, "answer": chat.answer})


class ChatModel:
    """The model that was loaded last."""

    def __init__(self) -> None:
        self._loaded: tuple[Any, Any] | None = None

    def load(self, request: Request) -> Mapping[str, Any]:
        """Answers `{kind, toy, contextLength}`; refuses a model that was trained with another template than the caller's."""
        from twin_workers.model_folder import check_template, context_length, load_model, load_tokenizer, read_card
        from twin_workers.prompts import Prompts

        folder = Path(request.value("folder", str))
        try:
            card = read_card(folder, ("base", "merged"), request.value("promptTemplateDigest", str))
            check_template(card["promptTemplate"])
            prompts = Prompts(load_tokenizer(folder), card["promptTemplate"]["text"])
            model = load_model(folder)
        except JobFailure as failure:
            raise RequestFailure(failure.reason, failure.message) from failure
        self._loaded = model, prompts
        return {"kind": card["kind"], "toy": card["toy"], "contextLength": context_length(model)}

    def answer(self, request: Request) -> Mapping[str, Any]:
        """Pieces `{text}` as they come, then `{text, promptTokens, outputTokens, cut}`: how many tokens of the prompt did not fit."""
        from twin_workers.generation import fitting, generate, prompt_limit, row_generator

        if self._loaded is None:
            raise RequestFailure("no-model", "No model is loaded: `load` comes first")
        model, prompts = self._loaded
        instruction, most = request.value("instruction", str), request.value("maxNewTokens", int)
        temperature, seed = request.value("temperature", (int, float)), request.value("seed", int)
        prompt = prompts.prompt(instruction)
        try:
            fitted = fitting(prompt, prompt_limit(model, most))
        except JobFailure as failure:
            raise RequestFailure(failure.reason, failure.message) from failure
        ids: list[int] = []
        sent = ""
        generators = [row_generator(seed, instruction)]
        for [token] in generate(model, [fitted], most, temperature, generators, prompts.end, prompts.padding):
            request.end_if_cancelled()
            if token is None:
                break
            ids.append(token)
            # A character may take several tokens: what still ends in half of one waits.
            text = prompts.text(ids)
            if not text.endswith("\ufffd") and text != sent and text.startswith(sent):
                request.piece({"text": text[len(sent) :]})
                sent = text
        text = prompts.text(ids)
        if text != sent:
            request.piece({"text": text[len(sent) :]})
        return {"text": text, "promptTokens": len(fitted), "outputTokens": len(ids), "cut": len(prompt) - len(fitted)}
