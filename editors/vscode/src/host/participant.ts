import * as vscode from "vscode";
import { balance, estimate, models, recommend, shown } from "../core/market";
import { dollars, told } from "../core/words";
import type { Account } from "./account";
import type { Wallet } from "./wallet";

const MOST_ROWS = 12;

/** `@market` in the chat: which model, at what price, what is left. It asks the marketplace and spends nothing. */
export function participant(account: Account, wallet: Wallet): vscode.Disposable {
  const made = vscode.chat.createChatParticipant("agent-marketplace.market", async (request, _context, stream) => {
    if (!(await account.signedIn())) {
      stream.markdown("Nobody is signed in to the marketplace.");
      stream.button({ command: "agentMarketplace.signIn", title: "Sign in" });
      return;
    }
    try {
      if (request.command === "balance") await tellBalance(account, wallet, stream);
      else if (request.command === "price") await tellPrices(account, request.prompt, stream);
      else await tellPicks(account, request.prompt, stream);
    } catch (error) {
      stream.markdown(told(error).words);
    }
  });
  made.iconPath = new vscode.ThemeIcon("sparkle");
  return made;
}

async function tellBalance(account: Account, wallet: Wallet, stream: vscode.ChatResponseStream): Promise<void> {
  const found = await balance(account.api);
  const today = wallet.completions.now;
  stream.markdown(
    `**${dollars(found.available)}** to spend, ${dollars(found.held)} held for what runs. ` +
      `Ghost text today: ${dollars(today.spent)} for ${today.calls} completions.`,
  );
  stream.button({ command: "agentMarketplace.receipt", title: "Last receipt" });
}

async function tellPrices(account: Account, words: string, stream: vscode.ChatResponseStream): Promise<void> {
  const text = words.trim().toLowerCase();
  const found = (await models(account.api)).filter((model) => `${model.id} ${model.name}`.toLowerCase().includes(text));
  if (found.length === 0) return stream.markdown(`No model that can be called now has "${words}" in its name.`);
  const rows = found.slice(0, MOST_ROWS).map((model) => {
    const { input, output, price } = shown(model);
    const money = (amount: number | undefined) => (amount === undefined ? "–" : `$${amount}`);
    return `| ${model.name} | ${money(price.input)} | ${money(price.output)} | ${Math.round((input + output) / 1000)}K |`;
  });
  const more = found.length > MOST_ROWS ? `\n\n${found.length - MOST_ROWS} more: say more of the name.` : "";
  stream.markdown(
    ["| model | in, per 1M | out, per 1M | context |", "| --- | --- | --- | --- |", ...rows].join("\n") + more,
  );
}

async function tellPicks(account: Account, task: string, stream: vscode.ChatResponseStream): Promise<void> {
  if (!task.trim()) return stream.markdown("Say what you want done: `@market find the race in my asyncio test`.");
  const picks = await recommend(account.api, task);
  if (picks.length === 0) return stream.markdown("No model that you can use now fits.");
  for (const { model, reasoning, rank } of picks) {
    const cost = await estimate(account.api, model.id, task).catch(() => null);
    const range = cost ? `about ${dollars(cost.estimate.p50)}, rarely more than ${dollars(cost.estimate.p95)}. ` : "";
    stream.markdown(`${rank}. **${model.name}** \`${model.id}\`: ${range}${reasoning}\n\n`);
    stream.button({ command: "agentMarketplace.addModel", title: `Use ${model.name}`, arguments: [model.id] });
  }
}
