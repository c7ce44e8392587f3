import { createContext, lazy, memo, type ReactNode, Suspense, useContext } from "react";
import ReactMarkdown, { type Components, type ExtraProps, type Options } from "react-markdown";
import remarkBreaks from "remark-breaks";
import remarkGfm from "remark-gfm";
import remarkMath from "remark-math";
import { useHost } from "@/shared/api/services";
import { CodeBlock } from "./code-block";
import { Formula } from "./formula";
import { mathMarks } from "./math";
import { safeLink } from "./safe-url";

const Diagram = lazy(() => import("./diagram"));

type Element = NonNullable<ExtraProps["node"]>;

const plugins: Options["remarkPlugins"] = [remarkGfm, remarkBreaks, [remarkMath, { singleDollarTextMath: false }]];
const Live = createContext(false);

/**
 * One block of a model's Markdown. Nothing a model writes is trusted: HTML is shown as text, links go to the web or
 * to mail only and show where, images are links until someone opens them.
 */
function MarkdownBlock({ text, live }: { text: string; live: boolean }) {
  return (
    <Live value={live}>
      <ReactMarkdown remarkPlugins={plugins} components={components} urlTransform={asWritten}>
        {mathMarks(text)}
      </ReactMarkdown>
    </Live>
  );
}

export default memo(MarkdownBlock);

/** Addresses reach `OutsideLink` as they were written; it decides. */
const asWritten = (url: string) => url;

const components: Components = {
  // The page has the first two levels of heading.
  h1: ({ children }) => <h3 className="text-lg">{children}</h3>,
  h2: ({ children }) => <h3>{children}</h3>,
  h3: ({ children }) => <h4>{children}</h4>,
  h4: ({ children }) => <h5>{children}</h5>,
  h5: ({ children }) => <h6>{children}</h6>,
  h6: ({ children }) => <h6>{children}</h6>,
  a: ({ href, children, node }) => (
    <OutsideLink address={href} text={node ? textOf(node) : ""}>
      {children}
    </OutsideLink>
  ),
  img: ({ src, alt }) => (
    <OutsideLink address={src} text="">
      Image{alt ? `: ${alt}` : ""}
    </OutsideLink>
  ),
  pre: ({ node }) => <Fence node={node} />,
  code: ({ node, children }) =>
    node && classesOf(node).includes("math-inline") ? (
      <Formula tex={textOf(node)} display={false} />
    ) : (
      <code>{children}</code>
    ),
  // Each of its own direction: an answer in Hebrew has its bullets on the right.
  p: ({ children }) => <p dir="auto">{children}</p>,
  ul: ({ children }) => <ul dir="auto">{children}</ul>,
  ol: ({ children, start }) => (
    <ol dir="auto" start={start}>
      {children}
    </ol>
  ),
  input: ({ checked }) => (
    <input type="checkbox" disabled checked={checked} readOnly aria-label={checked ? "done" : "open"} />
  ),
  table: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard.
    <section aria-label="Table" tabIndex={0} className="my-2 overflow-x-auto">
      <table>{children}</table>
    </section>
  ),
};

function OutsideLink({ address, text, children }: { address: unknown; text: string; children: ReactNode }) {
  const host = useHost();
  const link = safeLink(address);
  if (!link) return <span>{children}</span>;
  return (
    <>
      <a
        href={link.href}
        target="_blank"
        rel="noopener noreferrer nofollow"
        onClick={(event) => {
          if (host.kind === "browser") return;
          event.preventDefault();
          host.openLink(link.href);
        }}
      >
        {children}
      </a>
      {!text.includes(link.label) && <span className="text-muted"> ({link.label})</span>}
    </>
  );
}

function Fence({ node }: { node: Element | undefined }) {
  const live = useContext(Live);
  const host = useHost();
  const code = node?.children.find((child) => child.type === "element");
  if (!code) return null;
  const names = classesOf(code);
  if (names.includes("math-display")) return <Formula tex={textOf(code)} display />;
  const text = textOf(code).replace(/\n$/, "");
  const language = names.find((name) => name.startsWith("language-"))?.slice("language-".length) ?? "";
  const block = <CodeBlock code={text} language={language} live={live} />;
  // Half a diagram is none yet; and an editor's side bar has no server of its own to frame.
  if (language !== "mermaid" || live || host.kind !== "browser") return block;
  return (
    <Suspense fallback={block}>
      <Diagram code={text} />
    </Suspense>
  );
}

function classesOf({ properties: { className } }: Element): string[] {
  return Array.isArray(className) ? className.map(String) : [];
}

function textOf(node: Element | Element["children"][number]): string {
  if (node.type === "text") return node.value;
  return node.type === "element" ? node.children.map(textOf).join("") : "";
}
