import { createContext, memo, type ReactNode, useContext } from "react";
import ReactMarkdown, { type Components, type ExtraProps } from "react-markdown";
import remarkGfm from "remark-gfm";
import { useHost } from "@/shared/api/services";
import { CodeBlock } from "./code-block";
import { safeLink } from "./safe-url";

type Element = NonNullable<ExtraProps["node"]>;

const plugins = [remarkGfm];
const Live = createContext(false);

/**
 * One block of a model's Markdown. Nothing a model writes is trusted: HTML is shown as text, links go to the web or
 * to mail only and show where, images are links until someone opens them.
 */
function MarkdownBlock({ text, live }: { text: string; live: boolean }) {
  return (
    <Live value={live}>
      <ReactMarkdown remarkPlugins={plugins} components={components} urlTransform={asWritten}>
        {text}
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
  const code = node?.children.find((child) => child.type === "element");
  if (!code) return null;
  const names = Array.isArray(code.properties.className) ? code.properties.className : [];
  const language = names.map(String).find((name) => name.startsWith("language-"));
  return (
    <CodeBlock code={textOf(code).replace(/\n$/, "")} language={language?.slice("language-".length) ?? ""} live={live} />
  );
}

function textOf(node: Element | Element["children"][number]): string {
  if (node.type === "text") return node.value;
  return node.type === "element" ? node.children.map(textOf).join("") : "";
}
