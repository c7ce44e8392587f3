import { useMemo, useRef, useState } from "react";
import { cn } from "@/shared/lib/cn";
import { useWidth } from "@/shared/lib/use-width";
import { Tab, TabList, TabPanel, Tabs } from "@/shared/ui/tabs";
import { Column, type ColumnActions, letter, useSideName } from "./column";
import type { ComparedAnswer, Comparison } from "./compare-api";

const LEAST_COLUMN_PX = 320;

interface ColumnsProps {
  comparison: Comparison;
  together: boolean;
  askedAt: number | null;
  priceOf: (model: string | undefined) => number | null;
  actions: ColumnActions;
}

/** The answers side by side where there is room, else behind tabs. */
export function Columns({ comparison, together, askedAt, priceOf, actions }: ColumnsProps) {
  const root = useRef<HTMLDivElement>(null);
  const texts = useRef(new Map<string, HTMLDivElement>());
  const leading = useRef<HTMLDivElement | null>(null);
  const [tab, setTab] = useState<string>(comparison.answers[0]?.side ?? "a");
  const width = useWidth(root);
  const { answers } = comparison;
  const wide = width >= LEAST_COLUMN_PX * Math.min(answers.length, 2);
  const veiled = !comparison.revealed;

  /** The others go to the same share of their own length; what is moved so does not move the first one back. */
  const follow = (from: HTMLDivElement) => {
    if (!together || (leading.current && leading.current !== from)) return;
    leading.current = from;
    const share = from.scrollTop / Math.max(1, from.scrollHeight - from.clientHeight);
    for (const other of texts.current.values()) {
      if (other !== from) other.scrollTop = share * (other.scrollHeight - other.clientHeight);
    }
    requestAnimationFrame(() => {
      leading.current = null;
    });
  };
  const refs = useMemo(
    () => (side: string) => (element: HTMLDivElement | null) => {
      if (element) texts.current.set(side, element);
      else texts.current.delete(side);
    },
    [],
  );
  const column = (answer: ComparedAnswer) => (
    <Column
      answer={answer}
      veiled={veiled}
      outputPrice={veiled ? null : priceOf(answer.model)}
      askedAt={askedAt}
      won={comparison.vote === answer.side}
      retriable={comparison.vote === null && (!veiled || answer.status !== "ok")}
      actions={actions}
      scroller={refs(answer.side)}
      onScroll={(event) => follow(event.currentTarget)}
    />
  );
  return (
    <div ref={root} className="flex min-h-0 flex-1 flex-col">
      {wide ? (
        <div
          className={cn(
            "grid min-h-0 flex-1 auto-rows-fr divide-x divide-line",
            width >= LEAST_COLUMN_PX * answers.length ? columnsFor[answers.length] : "grid-cols-2",
          )}
        >
          {answers.map((answer) => (
            <div key={answer.side} className="min-h-0 min-w-0">
              {column(answer)}
            </div>
          ))}
        </div>
      ) : (
        <Tabs value={tab} onValueChange={(next) => setTab(String(next))} className="flex-1">
          <TabList aria-label="Answers">
            {answers.map((answer) => (
              <AnswerTab key={answer.side} answer={answer} />
            ))}
          </TabList>
          {answers.map((answer) => (
            // Kept where it is, so that an answer goes on being heard behind another tab.
            <TabPanel key={answer.side} value={answer.side} keepMounted className="data-hidden:hidden">
              {column(answer)}
            </TabPanel>
          ))}
        </Tabs>
      )}
    </div>
  );
}

const columnsFor: Record<number, string> = { 2: "grid-cols-2", 3: "grid-cols-3", 4: "grid-cols-4" };

function AnswerTab({ answer }: { answer: ComparedAnswer }) {
  const name = useSideName(answer);
  return (
    <Tab value={answer.side} aria-label={name} className="min-w-0 flex-1 truncate">
      {letter(answer.side)}
      {answer.status === "running" && <span aria-hidden> …</span>}
    </Tab>
  );
}
