"""The one way from text to tokens: training, scoring and serving all go through here, so that they agree token by token."""

from typing import TYPE_CHECKING

from twin_workers.protocol import well_formed

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def chat_template(template: str, end: str) -> str:
    """
    The template as the Jinja text by which servers render conversations: to the same text, with the answers marked as what is generated.

    A first message of the system stands at the head of the first instruction.
    """
    before, after = (part.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") for part in template.split("{instruction}"))
    end = end.replace("'", "\\'")
    return (
        "{%- set state = namespace(system='') -%}"
        "{%- for message in messages -%}"
        "{%- if message['role'] == 'system' -%}{%- set state.system = message['content'] + '\\n\\n' -%}"
        f"{{%- elif message['role'] == 'user' -%}}{{{{- '{before}' + state.system + message['content'] + '{after}' -}}}}"
        "{%- set state.system = '' -%}"
        f"{{%- else -%}}{{%- generation -%}}{{{{- message['content'] + '{end}' -}}}}{{%- endgeneration -%}}"
        "{%- endif -%}"
        "{%- endfor -%}"
    )


class Prompts:
    """
    Renders instructions into the template and tokenizes them.

    Prompt and answer are tokenized apart: a model that answers has the prompt alone, so no token may span the two.
    Text that spells a special token is text.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerFast", template: str) -> None:
        self._tokenizer = tokenizer
        self._template = template
        self._backend = tokenizer.backend_tokenizer
        self._backend.encode_special_tokens = True
        self._backend.no_truncation()
        self._backend.no_padding()
        self.end: int = tokenizer.eos_token_id
        self.padding: int = tokenizer.pad_token_id

    def prompt(self, instruction: str, begins: bool = True) -> list[int]:
        """The tokens before an answer; `begins` where they begin the text."""
        rendered = self._template.replace("{instruction}", well_formed(instruction), 1)
        # With the token that starts a text, where the tokenizer has one, and without one that ends it.
        ids = self._backend.encode(rendered, add_special_tokens=begins).ids
        return ids[:-1] if ids and ids[-1] == self.end else ids

    def answer(self, text: str) -> list[int]:
        """The tokens of an answer, without its end."""
        return self._backend.encode(well_formed(text), add_special_tokens=False).ids

    def text(self, ids: list[int]) -> str:
        """The text of tokens; bytes that are no UTF-8 become U+FFFD."""
        return well_formed(self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))
