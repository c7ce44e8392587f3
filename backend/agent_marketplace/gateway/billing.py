"""PURE: what an answer is charged for. One rule for every wire and every way an answer can end (docs/billing.md has the table).

    who stopped          delivered   usage known   charged
    nobody (finished)    any         yes           the provider's usage, an explicit zero too; a report from before the content
                                                   (a placeholder) counts for the input, output by our count, marked estimated
    nobody (finished)    any         no            our count of input and delivered output, marked estimated
    client, provider,
    wallet or server     nothing     any           nothing
    client, provider,
    wallet or server     something   yes           the provider's usage as of its last report; output delivered after it by our
                                                   count, marked estimated
    client, provider,
    wallet or server     something   no            our count of input and delivered output, marked estimated

Usage that can't be true counts as not known. What a provider bills beyond this (it goes on after we hang up, or a try timed
out) is the operator's cost, never the user's.
"""

import msgspec

from agent_marketplace.gateway.meter import Meter
from agent_marketplace.gateway.stopping import Stopped
from agent_marketplace.usage import Usage, counts

_CONTEXT_UNKNOWN = 5_000_000
END_MARKS = 8
"""Tokens of a choice beyond its cap that are no claim: end marks that some tokenizers count."""

_MOST_IMAGES = 1_000


def billable(
    meter: Meter,
    stopped: Stopped,
    input_tokens: int,
    *,
    context: int | None = None,
    choices: int = 1,
    cap: int | None = None,
) -> Usage | None:
    """Usage to charge for; None = nothing is charged.

    input_tokens: our estimate of the input, used only without usage; context: the target's window, tokens; choices: the
    answers asked for (`n`), of which only the first is read; cap: the length that the provider was given for each.
    """
    finished = stopped is Stopped.FINISHED
    if not finished and not meter.characters:
        return None
    usage = meter.usage
    if usage is None or not plausible(usage, context, choices):
        output = _counted(meter.delivered_tokens(), cap) * choices
        return Usage(input=input_tokens, output=output, estimated=True)
    unreported = meter.unreported_tokens() * choices
    if not usage.completion_tokens and (unreported or not finished):
        unreported = (
            meter.delivered_tokens() * choices
        )  # a placeholder says nothing of what came before it either
    if not unreported or (finished and _covers_all(usage, meter, choices)):
        return usage
    output = max(usage.output, _counted(usage.output + unreported, None if cap is None else cap * choices))
    return msgspec.structs.replace(usage, output=output, estimated=True)


def input_of(seen: Usage | None, input_tokens: int) -> Usage:
    """The input of an answer of which nothing was delivered: in the classes that the provider reported, else by our count."""
    if seen is None or not plausible(seen, None):
        return Usage(input=input_tokens, estimated=True)
    return msgspec.structs.replace(
        seen, output=0, reasoning=0, audio_output=0, image_output=0, images=0, estimated=seen.estimated
    )


def within_the_asked(
    usage: Usage, cap: int | None, choices: int, *, thinks_apart: bool, budget: int = 0
) -> Usage:
    """The usage without the output that a provider claims beyond what it was asked for.

    cap: output tokens of each choice that it was given as its limit, None = none. Tolerated beyond the cap, and held for
    (`sizing.bound`): end marks (`END_MARKS`), and where the target may count thinking apart (`thinks_apart`) as much of it again,
    or as much as was asked for (budget, tokens of each choice).
    """
    if cap is None:
        return usage
    apart = min(usage.reasoning, max(cap, budget) * choices) if thinks_apart else 0
    beyond = usage.completion_tokens - (cap + END_MARKS) * choices - apart
    if beyond <= 0:
        return usage
    output = max(0, usage.output - beyond)
    audio = max(0, usage.audio_output - max(0, beyond - usage.output))
    return msgspec.structs.replace(
        usage, output=output, reasoning=min(usage.reasoning, output), audio_output=audio
    )


def _counted(tokens: int, cap: int | None) -> int:
    """Output by our own count: never more than was asked for, whatever a provider pours out."""
    return tokens if cap is None else min(tokens, cap)


def _covers_all(usage: Usage, meter: Meter, choices: int) -> bool:
    """Whether a report that came before the end of a finished answer is nevertheless of all of it: some providers know the
    length beforehand. A placeholder (none, or one token) is told by our own count, which is never off by half."""
    return not usage.estimated and 2 * usage.completion_tokens >= meter.delivered_tokens() * choices


def plausible(usage: Usage, context: int | None, choices: int = 1) -> bool:
    """False for numbers that can't be true: negative, more thinking than output, or over twice what the model can hold."""
    if min(counts(usage)) < 0 or usage.reasoning > usage.output or usage.images > _MOST_IMAGES:
        return False
    return usage.total_tokens <= 2 * (context or _CONTEXT_UNKNOWN) * choices
