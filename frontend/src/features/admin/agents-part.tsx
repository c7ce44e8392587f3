import { useState } from "react";
import { type Act, ActDialog } from "./act-dialog";
import { AgentsFound } from "./agents-found";
import { AgentsMoney } from "./agents-money";
import { AgentsQueue } from "./agents-queue";
import { AgentsServers } from "./agents-servers";

export interface Acting {
  onAct: (act: Act) => void;
}

/** Agents that are offered: what waits for review, the kill switches, reports, and what authors are owed. */
export function AgentsPart() {
  const [act, setAct] = useState<Act | null>(null);
  return (
    <div className="flex flex-col gap-6">
      <AgentsQueue onAct={setAct} />
      <AgentsFound onAct={setAct} />
      <AgentsServers onAct={setAct} />
      <AgentsMoney onAct={setAct} />
      {act && <ActDialog act={act} onClose={() => setAct(null)} />}
    </div>
  );
}
