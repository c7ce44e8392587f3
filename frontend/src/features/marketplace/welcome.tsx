import { useQuery } from "@tanstack/react-query";
import { signUpQuery } from "@/shared/api/queries";
import { useApi, useSession } from "@/shared/api/services";
import type { Model } from "@/shared/api/types";
import { funds } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { useMarket } from "./market-context";

const TASKS = [
  "Find out why my asyncio test hangs",
  "Summarise a 40-page contract in plain words",
  "Label 1,000 support tickets, under $1 a month",
];
const READY = 3;

/** What this is, what it costs to try, what runs now, and three tasks to begin with. */
export function Welcome({ models, onAsk }: { models: readonly Model[]; onAsk: (task: string) => void }) {
  const api = useApi();
  const market = useMarket();
  const { token, session } = useSession();
  const { data: offer } = useQuery(signUpQuery(api));
  const credit = offer && offer.signup !== "closed" ? offer.credit : 0;
  const ready = models.filter((model) => model.is_available && !model.retired);
  return (
    <div className="flex flex-col gap-2 border-b border-line px-3 pt-3 pb-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <p className="min-w-64 flex-1 text-lg leading-snug font-semibold text-balance">
          Find the AI model for your task, see what an answer costs before you send it, and pay only for what you use.
        </p>
        {!token && (
          <Button variant="primary" className="min-w-36" onClick={() => void session.require("first-use", "signup")}>
            {credit > 0 ? `Sign up: ${funds(credit).replace(/\.00$/, "")} to try` : "Sign up"}
          </Button>
        )}
      </div>
      <p className="flex min-h-6 flex-wrap items-center gap-x-2 gap-y-1 text-sm">
        <span className="text-muted">Ready now, without a key:</span>
        {ready.slice(0, READY).map((model) => (
          <Button key={model.id} variant="link" size="sm" onClick={() => market.use(model)}>
            {model.name}
          </Button>
        ))}
        {ready.length > READY && <span className="text-muted">and more</span>}
        {models.length > 0 && ready.length === 0 && <span>none yet. A key of your own opens the rest.</span>}
      </p>
      <ul aria-label="Example tasks for Q Assistant" className="flex flex-wrap gap-2">
        {TASKS.map((task) => (
          <li key={task}>
            <Button size="sm" onClick={() => onAsk(task)}>
              {task}
            </Button>
          </li>
        ))}
      </ul>
    </div>
  );
}
