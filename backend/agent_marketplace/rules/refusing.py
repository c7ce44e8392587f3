"""What can't be fitted."""

from agent_marketplace.wires.base import FailureClass, UpstreamFailure


class Unfit(UpstreamFailure):
    """A target that can't be told what the call means. field: its name in the call."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(FailureClass.UNSUPPORTED, f"{field}: {reason}")
        self.field = field
