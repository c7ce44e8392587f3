"""PURE: what an answer is charged for. One rule for every wire and every way an answer can end (docs/billing.md has the table).

    who stopped          delivered   usage known   charged
    nobody (finished)    any         yes           the provider's usage
    nobody (finished)    any         no            our count of input and delivered output, marked estimated
    client/provider/
    wallet/server        nothing     any           nothing
    client/provider/
    wallet/server        something   yes           the provider's usage if it is not above what was delivered by its own count
    client/provider/
    wallet/server        something   no            our count of input and delivered output, marked estimated

What a provider bills beyond that (it goes on after we hang up, or a try timed out) is the operator's cost, never the user's.
"""

from agent_marketplace.gateway.meter import Meter
from agent_marketplace.gateway.relay import Stopped
from agent_marketplace.usage import Usage

_MOST_TOKENS = 100_000_000


def billable(meter: Meter, stopped: Stopped, input_tokens: int) -> Usage | None:
    """Usage to charge for; None = nothing is charged. input_tokens: our estimate of the input, used only without usage."""
    if stopped is not Stopped.FINISHED and not meter.characters:
        return None
    if meter.usage is not None and plausible(meter.usage):
        return meter.usage
    return Usage(input=input_tokens, output=meter.output_tokens(), estimated=True)


def plausible(usage: Usage) -> bool:
    """False for negative or absurd numbers: they are not charged for, our own count is."""
    counts = (
        usage.input, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h, usage.output, usage.reasoning,
        usage.audio_input, usage.audio_output, usage.image_input, usage.image_output, usage.images,
    )  # fmt: skip
    return all(0 <= count <= _MOST_TOKENS for count in counts)
