"""Bodies of the routes of runs and of the tool servers that they call. Money in dollars."""

from decimal import Decimal
from typing import Literal

from pydantic import Field, SecretStr

from agent_marketplace.api.schemas import Body


class Answer(Body):
    """To one question of a run. subject: of what was shown."""

    approval_id: str = Field(max_length=40)
    subject: str = Field(max_length=64)
    allow: bool


class Approve(Body):
    answers: list[Answer] = Field(min_length=1, max_length=64)


class RunInput(Body):
    text: str = Field(min_length=1, max_length=100_000)


class RunCap(Body):
    """cap: dollars for the whole run."""

    cap: Decimal = Field(ge=0, le=1000, max_digits=13, decimal_places=9)


class ToolServerBody(Body):
    """An MCP server. secret: sent in `header` (as `Bearer …` in authorization), kept sealed, never shown again."""

    name: str = Field(max_length=40, examples=["search"])
    url: str = Field(max_length=500, examples=["https://tools.example.com/mcp"])
    secret: SecretStr = SecretStr("")
    header: str = Field("authorization", max_length=80)


class ApprovedTool(Body):
    """sha256: of the definition that was shown. read_only: calls change nothing, so they may run at once."""

    tool: str = Field(max_length=128)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    policy: Literal["allow", "ask", "deny"] = "ask"
    read_only: bool = False


class ApproveTools(Body):
    tools: list[ApprovedTool] = Field(min_length=1, max_length=256)
