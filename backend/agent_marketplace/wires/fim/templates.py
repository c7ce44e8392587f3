"""Prompts that models were trained to fill in the middle of, by family: where a server has no field for the suffix, the
prompt is written with the model's own marks.

Sources: the models' cards and papers. Qwen2.5-Coder (README, "Fill in the middle"), CodeGemma (model card, "Formatting"),
DeepSeek-Coder (README, "Code Insertion"), Code Llama (`infilling_prompt_tokens` in facebookresearch/codellama), StarCoder and
StarCoder2, Granite code models (model cards), Codestral (mistral-common, `encode_fim`).
"""

from collections.abc import Mapping

import msgspec


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """opens, between, closes: the marks. suffix_first: the text after the cursor stands before the other one. stops: marks
    after which nothing of use follows."""

    opens: str
    between: str
    closes: str = ""
    suffix_first: bool = False
    stops: tuple[str, ...] = ()

    def filled(self, prefix: str, suffix: str) -> str:
        """The prompt. The texts may hold marks of their own: they are put in as they are."""
        one, other = (suffix, prefix) if self.suffix_first else (prefix, suffix)
        return f"{self.opens}{one}{self.between}{other}{self.closes}"

    def unfilled(self, prompt: str) -> tuple[str, str] | None:
        """(prefix, suffix) of a prompt that is this template from its first character to its last; else None."""
        if not prompt.startswith(self.opens) or not prompt.endswith(self.closes):
            return None
        inner = prompt[len(self.opens) : len(prompt) - len(self.closes)]
        one, found, other = inner.partition(self.between)
        if not found:
            return None
        return (other, one) if self.suffix_first else (one, other)


TEMPLATES: Mapping[str, Template] = {
    "qwen": Template(
        opens="<|fim_prefix|>", between="<|fim_suffix|>", closes="<|fim_middle|>",
        stops=("<|endoftext|>", "<|fim_pad|>", "<|file_sep|>", "<|repo_name|>"),
    ),
    "codegemma": Template(
        opens="<|fim_prefix|>", between="<|fim_suffix|>", closes="<|fim_middle|>", stops=("<|file_separator|>", "<eos>"),
    ),
    "deepseek": Template(
        opens="<｜fim▁begin｜>", between="<｜fim▁hole｜>", closes="<｜fim▁end｜>", stops=("<｜end▁of▁sentence｜>",),
    ),
    "codellama": Template(opens="<PRE> ", between=" <SUF>", closes=" <MID>", stops=("<EOT>",)),
    "starcoder": Template(
        opens="<fim_prefix>", between="<fim_suffix>", closes="<fim_middle>", stops=("<|endoftext|>", "<file_sep>"),
    ),
    "codestral": Template(opens="[SUFFIX]", between="[PREFIX]", suffix_first=True, stops=("</s>",)),
}  # fmt: skip


def unfilled(prompt: str) -> tuple[str, str] | None:
    """(prefix, suffix) of a prompt that an editor has written with a model's marks itself; None where it holds none.

    Whatever else stands in a prompt may be meant for the model, so only a whole template is read so.
    """
    found = (template.unfilled(prompt) for template in TEMPLATES.values())
    return next((texts for texts in found if texts is not None), None)
