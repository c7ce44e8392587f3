"""Authors' examples, run as users would run them, within a budget: does each answer hold what its example expects?

    python bench/agents/examples.py --url http://127.0.0.1:8000 --key sk-aam-... --budget 0.50            your own offered agents
    python bench/agents/examples.py --url ... --key ... --budget 2 --of operator                          the shipped six
    ... --json results.json

Standard library only. The key needs inference, account:read and (for agents of others: agreeing to their cards) account:write. Each
run's cap is what is left of the budget, so the budget is never crossed; examples that it does not reach are told as not run. Ends
with 1 where an example failed. An author's own runs cost no fee and count in no figure.
"""

import argparse
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from decimal import Decimal
from pathlib import Path
from typing import Any

_WAIT_S = 600.0


class Refused(Exception):
    """What the server said."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body.get('code')}: {body.get('error')}")
        self.code = str(body.get("code"))


class Market:
    """A marketplace, by a key."""

    def __init__(self, url: str, key: str) -> None:
        self._url = f"{url.rstrip('/')}/api/v1/agents"
        self._key = key

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Raises Refused."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self._key}", "content-type": "application/json"}
        request = urllib.request.Request(self._url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_WAIT_S) as answer:
                return json.loads(answer.read(), parse_float=Decimal)
        except urllib.error.HTTPError as error:
            raise Refused(error.code, json.loads(error.read() or b"{}")) from None

    def versions(self, publisher: str) -> list[tuple[str, int, list[dict[str, Any]]]]:
        """(name, version, examples) of what is offered: one's own where no publisher is named, else the publisher's listed ones."""
        if not publisher:
            agents = self.ask("GET", "/offered")["agents"]
            found = [(a["agent"], {v["version"]: v for v in a["versions"]}) for a in agents]
        else:
            listed = [one for one in self._listed() if one["agent"]["publisher"] == publisher]
            found = [(one["agent"], {one["version"]["version"]: one["version"]}) for one in listed]
            for agent, versions in found:
                self.ask("POST", f"/listings/{publisher}/{agent['slug']}/consent", {"version": max(versions)})
        chosen = [(agent, versions[agent["live"] or agent["newest"]]) for agent, versions in found]
        return [(f"{a['model']}@{v['version']}", v["version"], v["spec"]["examples"]) for a, v in chosen]

    def _listed(self) -> list[dict[str, Any]]:
        found, offset = [], 0
        while offset is not None:
            page = self.ask("GET", f"/listings?limit=100&offset={offset}")
            found += page["listings"]
            offset = page["next_offset"]
        return found


def tried(market: Market, name: str, example: dict[str, Any], left: Decimal) -> dict[str, Any]:
    """One example's outcome: passed, failed, or not_run where the budget does not reach it. cost: dollars."""
    outcome = {"agent": name, "input": example["input"], "expects": example["expects"], "cost": Decimal(0)}
    body = {"agent_id": name, "input": example["input"], "cap": str(left), "wait": True, "attended": False}
    try:
        run = market.ask("POST", "/runs", body)["run"]
    except Refused as refused:
        state = "not_run" if refused.code in ("cap_too_small", "payment_required", "needs_topup") else "failed"
        return {**outcome, "outcome": state, "why": str(refused)}
    answer = (run["result"] or "").casefold()
    missing = [word for word in example["expects"] if word.casefold() not in answer]
    whole = run["state"] == "done" and run["stop_reason"] in ("stop", "length")
    why = "" if whole else f"{run['state']}: {run['stop_reason']}"
    why = why or (f"lacks {', '.join(missing)}" if missing else "")
    return {
        **outcome, "outcome": "failed" if why else "passed", "why": why, "run_id": run["run_id"], "cost": Decimal(run["spent"]),
    }  # fmt: skip


def main() -> int:
    """Runs them all and says what came of it."""
    read = argparse.ArgumentParser(description="Runs authors' examples within a budget")
    read.add_argument("--url", default="http://127.0.0.1:8000")
    read.add_argument("--key", required=True)
    read.add_argument("--budget", type=Decimal, required=True, help="dollars, of all runs together")
    read.add_argument("--of", default="", metavar="PUBLISHER", help="somebody's listed agents in place of your own")
    read.add_argument("--json", type=Path, help="where the outcomes are written, too")
    given = read.parse_args()
    market, left, outcomes = Market(given.url, given.key), given.budget, []
    for name, _, examples in market.versions(given.of):
        for example in examples:
            outcome = tried(market, name, example, left)
            left -= outcome["cost"]
            outcomes.append(outcome)
            print(f"{outcome['outcome']:8} {name} ${outcome['cost']:f} {outcome['why']}", flush=True)
    spent = given.budget - left
    counts = {state: sum(o["outcome"] == state for o in outcomes) for state in ("passed", "failed", "not_run")}
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['not_run']} not run; ${spent:f} of ${given.budget:f}")
    if given.json:
        given.json.write_text(json.dumps(outcomes, indent=1, default=str))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
