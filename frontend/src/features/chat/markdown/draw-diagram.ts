/** Mermaid's drawings, made in a frame that has no origin (diagram/frame.js): one at a time, each within a limit of time. */

const READY_MS = 60_000;
const DRAW_MS = 10_000;

let opened: Promise<HTMLIFrameElement> | null = null;
let line: Promise<unknown> = Promise.resolve();
let count = 0;

/** The SVG of a diagram, to be shown as an image; rejects with the reason in words where there is none. */
export function drawDiagram(code: string, dark: boolean): Promise<string> {
  const drawn = line.then(() => draw(code, dark));
  line = drawn.catch(() => {});
  return drawn;
}

async function draw(code: string, dark: boolean): Promise<string> {
  opened ??= open();
  try {
    const frame = await opened;
    count += 1;
    const id = count;
    const answer = heard(frame, DRAW_MS, (told) => told.id === id);
    // A document without an origin has no name to post to; what goes there is what the model wrote.
    frame.contentWindow?.postMessage({ id, code, dark }, "*");
    const { svg, problem } = await answer;
    if (typeof svg === "string") return svg;
    throw new Refused(typeof problem === "string" ? problem : "It could not be drawn.");
  } catch (error) {
    if (!(error instanceof Refused)) close();
    throw error;
  }
}

/** Mermaid's own word on a diagram: the frame is as good as before. */
class Refused extends Error {}

async function open(): Promise<HTMLIFrameElement> {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.setAttribute("aria-hidden", "true");
  frame.tabIndex = -1;
  frame.title = "Diagrams";
  frame.src = "/diagram.html";
  // Laid out, since texts are measured in it, and out of sight.
  frame.className = "pointer-events-none invisible fixed top-0 -left-[3000px] h-[1000px] w-[1400px] border-0";
  const ready = heard(frame, READY_MS, (told) => told.ready === true);
  document.body.append(frame);
  await ready;
  return frame;
}

function close(): void {
  for (const frame of document.querySelectorAll('iframe[src="/diagram.html"]')) frame.remove();
  opened = null;
}

type Told = Record<string, unknown>;

function heard(frame: HTMLIFrameElement, milliseconds: number, wanted: (told: Told) => boolean): Promise<Told> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      window.removeEventListener("message", hear);
    };
    const timer = setTimeout(() => {
      end();
      reject(new Error("Drawing it took too long."));
    }, milliseconds);
    const hear = ({ source, data }: MessageEvent<unknown>) => {
      if (source !== frame.contentWindow || typeof data !== "object" || data === null || !wanted(data as Told)) return;
      end();
      resolve(data as Told);
    };
    window.addEventListener("message", hear);
  });
}
