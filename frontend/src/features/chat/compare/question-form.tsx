import { useQuery } from "@tanstack/react-query";
import { ArrowUp, SlidersHorizontal } from "lucide-react";
import { type ClipboardEvent, type KeyboardEvent, lazy, Suspense, useEffect, useRef, useState } from "react";
import { AttachButton } from "@/features/chat/composer/attach-button";
import { AttachedFiles } from "@/features/chat/composer/attached-files";
import { AttachedImages } from "@/features/chat/composer/attached-images";
import { readImages } from "@/features/chat/composer/attachments";
import { usePicturesOfAll } from "@/features/chat/composer/file-cost";
import { foldInserted, readTextFile, withFiles } from "@/features/chat/composer/text-files";
import { useDrops } from "@/features/chat/composer/use-drops";
import { useLongInsert } from "@/features/chat/composer/use-long-insert";
import { AUTO } from "@/features/chat/models/models";
import { extractDocument } from "@/features/chat/talk/chat-api";
import { type ChatSettings, settingsWords } from "@/features/chat/talk/settings";
import { modelsQuery } from "@/shared/api/queries";
import { useApi, useSession } from "@/shared/api/services";
import { isComposing } from "@/shared/lib/composing";
import { money } from "@/shared/lib/format";
import { Button, IconButton } from "@/shared/ui/button";
import { estimateComparison, type Question, questionBody, type SummedEstimate } from "./compare-api";
import { useKeptQuestion } from "./use-kept-question";

const SettingsDialog = lazy(() =>
  import("@/features/chat/dialogs/settings-dialog").then((module) => ({ default: module.SettingsDialog })),
);
const QUIET_MS = 400;

interface QuestionFormProps {
  models: readonly string[];
  blind: boolean;
  /** The comparison that this question goes on with. */
  after: string | null;
  busy: boolean;
  onAsk: (question: Question) => Promise<boolean>;
}

/** One question for all: text, files, settings, and what asking them all will cost. */
export function QuestionForm({ models, blind, after, busy, onAsk }: QuestionFormProps) {
  const api = useApi();
  const { text, setText, images, setImages, files, setFiles } = useKeptQuestion();
  const inputPrice = useSummedInputPrice(models);
  const pictures = usePicturesOfAll(models, images);
  const [problem, setProblem] = useState<string | null>(null);
  const [settings, setSettings] = useState<ChatSettings>({});
  const [setting, setSetting] = useState(false);
  const prompt = withFiles(text, files);
  const question: Question = { models, prompt, images, blind, after, settings };
  const ready = prompt.trim() !== "" && (after !== null || models.length >= 2);
  const estimate = useSummed(ready ? question : null);

  // Others may have come or gone while a document was read.
  const latest = useRef({ files, images });
  useEffect(() => {
    latest.current = { files, images };
  });
  const attach = async (given: readonly File[]) => {
    const pictures = given.filter(({ type }) => type.startsWith("image/") && type !== "image/svg+xml");
    const others = given.filter((each) => !pictures.includes(each));
    const read = await Promise.all(others.map((each) => readTextFile(each, (one) => extractDocument(api, one))));
    setFiles([...latest.current.files, ...read.flatMap((found) => ("file" in found ? [found.file] : []))]);
    const picked = await readImages(pictures, images.length);
    setImages([...latest.current.images, ...picked.images]);
    const refused = read.flatMap((found) => ("problem" in found ? [found.problem] : []));
    setProblem([...refused, ...(picked.problem ? [picked.problem] : [])].join(" ") || null);
  };
  useDrops((given) => void attach(given));
  const area = useRef<HTMLTextAreaElement>(null);
  useLongInsert(area, (file) => setFiles([...files, file]));
  const change = (next: string) => {
    const folded = foldInserted(text, next);
    setText(folded.text);
    if (folded.files.length) setFiles([...files, ...folded.files]);
  };
  const submit = async () => {
    if (!ready || busy) return;
    if (!(await onAsk(question))) return;
    setText("");
    setFiles([]);
    setImages([]);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    void submit();
  };
  const set = settingsWords(settings);
  return (
    <form
      aria-label="Question to all"
      className="flex flex-col gap-1.5"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <AttachedImages
        images={images}
        words={pictures.words}
        onRemove={(index) => setImages(images.filter((_, each) => each !== index))}
      />
      <AttachedFiles
        files={files}
        inputPrice={inputPrice}
        onRemove={(index) => setFiles(files.filter((_, each) => each !== index))}
      />
      {pictures.blind.length > 0 && (
        <p role="status" className="text-xs text-warning">
          {pictures.blind.join(", ")} {pictures.blind.length === 1 ? "does" : "do"} not take images.
        </p>
      )}
      {problem && (
        <p role="alert" className="text-xs text-danger">
          {problem}
        </p>
      )}
      <div className="flex items-end gap-1 rounded-lg border border-input-line bg-input p-1 focus-within:outline-2 focus-within:outline-focus">
        <AttachButton onFiles={(given) => void attach(given)} />
        <IconButton label={set ? `Settings: ${set}` : "Settings of the answers"} onClick={() => setSetting(true)}>
          <SlidersHorizontal aria-hidden className={set ? "text-link" : ""} />
        </IconButton>
        <textarea
          ref={area}
          rows={1}
          dir="auto"
          value={text}
          aria-label={after ? "Next question to all" : "Question to all"}
          enterKeyHint="send"
          placeholder={after ? "Ask them all the next question" : "Ask them all the same"}
          className="field-sizing-content max-h-48 min-h-8 flex-1 resize-none bg-transparent px-1 py-1.5 text-sm text-input-fg outline-none pointer-coarse:py-2.5 pointer-coarse:text-[16px]"
          onChange={({ target }) => change(target.value)}
          onPaste={({ clipboardData }: ClipboardEvent) => {
            // As in a chat: where text came too, the picture is only a picture of it.
            if (!clipboardData.getData("text/plain")) void attach([...clipboardData.files]);
          }}
          onKeyDown={onKeyDown}
        />
        <Button variant="primary" type="submit" aria-disabled={!ready} busy={busy} title="Ask all (Enter)">
          <ArrowUp aria-hidden /> Ask all
        </Button>
      </div>
      <p aria-live="polite" className="min-h-4 text-xs text-muted tabular-nums">
        {estimate ? summedWords(estimate) : ""}
      </p>
      {setting && (
        <Suspense>
          <SettingsDialog
            title="Settings of the answers"
            settings={settings}
            model={AUTO}
            onSave={setSettings}
            onClose={() => setSetting(false)}
          />
        </Suspense>
      )}
    </form>
  );
}

/** What a million tokens cost to read for all of them together, dollars; null where it is not known of every one. */
function useSummedInputPrice(models: readonly string[]): number | null {
  const catalogue = useQuery(modelsQuery(useApi())).data;
  const prices = models.map((id) => catalogue?.find((model) => model.id === id)?.prices?.input);
  if (models.length === 0 || prices.some((price) => price === undefined)) return null;
  return prices.reduce<number>((sum, price) => sum + Number(price), 0);
}

/** The server's estimates for all, summed, once the typing pauses. */
function useSummed(question: Question | null): SummedEstimate | undefined {
  const api = useApi();
  const { token } = useSession();
  const wanted = question === null ? "" : JSON.stringify(questionBody(question));
  const [settled, setSettled] = useState(wanted);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(wanted), QUIET_MS);
    return () => clearTimeout(timer);
  }, [wanted]);
  const query = useQuery({
    queryKey: ["comparison-estimate", token, settled],
    queryFn: ({ signal }) => estimateComparison(api, JSON.parse(settled), signal),
    enabled: token !== null && settled !== "",
    staleTime: 30_000,
    gcTime: 60_000,
    retry: false,
  });
  return question === null ? undefined : query.data;
}

/** For example "All together: about $0.0021, rarely over $0.012, at most $0.04; 1 of 3 can't be asked: …". */
function summedWords({ estimates, total, affordable }: SummedEstimate): string {
  const failing = estimates.filter(({ error }) => error);
  const cost =
    total.maximum === 0
      ? "free"
      : `about ${money(total.p50)}, rarely over ${money(total.p95)}, at most ${money(total.maximum)}`;
  const words = failing.length === estimates.length ? "" : `All together: ${cost}`;
  const without = failing.length ? `${failing.length} of ${estimates.length} can't be asked: ${failing[0]?.error}` : "";
  const poor = affordable || failing.length === estimates.length ? "" : "the balance may not cover all of it";
  return [words, poor, without].filter(Boolean).join(" · ");
}
