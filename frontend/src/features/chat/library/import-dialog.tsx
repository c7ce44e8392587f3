import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useApi } from "@/shared/api/services";
import { count } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogBody } from "@/shared/ui/dialog";
import { MAX_FILE_BYTES, partsOf } from "./import-file";
import { type Imported, importChats } from "./library-api";

type State =
  | { at: "start"; problem: string | null }
  | { at: "running"; done: number; parts: number }
  | { at: "end"; found: Imported; problem: string | null };

/** Chats from elsewhere: one file, sent in parts, with what came of it in words. */
export function ImportDialog({ onClose }: { onClose: () => void }) {
  const api = useApi();
  const client = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const [state, setState] = useState<State>({ at: "start", problem: null });
  const bring = async (file: File) => {
    if (file.size > MAX_FILE_BYTES) return setState({ at: "start", problem: `${file.name} is over 500 MB.` });
    const parts = partsOf(await file.text());
    if (!parts) {
      return setState({ at: "start", problem: `${file.name} is no export of chats from here, from ChatGPT or Open WebUI.` });
    }
    const found: Imported = { imported: 0, messages: 0, skipped: [] };
    let problem: string | null = null;
    for (const [done, part] of parts.entries()) {
      setState({ at: "running", done, parts: parts.length });
      try {
        const { imported, messages, skipped } = await importChats(api, part);
        found.imported += imported;
        found.messages += messages;
        found.skipped.push(...skipped);
      } catch (error) {
        problem = error instanceof Error ? error.message : "The server could not be reached.";
        break;
      }
    }
    await client.invalidateQueries({ queryKey: ["conversations"] });
    setState({ at: "end", found, problem });
  };
  return (
    <Dialog open onOpenChange={onClose} title="Import chats">
      <DialogBody className="flex flex-col gap-3">
        <p>
          From a JSON export of this marketplace, of ChatGPT (<code>conversations.json</code>) or of Open WebUI. Titles,
          times, branches, folders and tags are kept; instructions and tool calls are not taken over. It costs nothing.
        </p>
        <input
          ref={input}
          type="file"
          accept=".json,application/json"
          hidden
          data-testid="import-file"
          onChange={(event) => {
            const file = event.target.files?.[0];
            event.target.value = "";
            if (file) void bring(file);
          }}
        />
        <div role="status" className="flex flex-col gap-2">
          {state.at === "running" && (
            <>
              <progress aria-label="Import" className="w-full" max={state.parts} value={state.done} />
              <p className="text-muted">
                Part {state.done + 1} of {state.parts}…
              </p>
            </>
          )}
          {state.at === "end" && <Outcome found={state.found} />}
          {state.at !== "running" && state.problem && <p className="text-danger">{state.problem}</p>}
        </div>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Close</Button>
          <Button variant="primary" busy={state.at === "running"} onClick={() => input.current?.click()}>
            Choose a file
          </Button>
        </div>
      </DialogBody>
    </Dialog>
  );
}

function Outcome({ found: { imported, messages, skipped } }: { found: Imported }) {
  return (
    <>
      <p>
        {count(imported)} {imported === 1 ? "chat" : "chats"} with {count(messages)} messages {imported === 1 ? "is" : "are"}{" "}
        here now.
      </p>
      {skipped.length > 0 && (
        <details>
          <summary>{count(skipped.length)} left out</summary>
          <ul className="max-h-40 list-disc overflow-y-auto pl-5 text-muted">
            {skipped.slice(0, 100).map(({ title, why }, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: titles may be the same
              <li key={index}>
                {title || "Without a title"}: {why}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
