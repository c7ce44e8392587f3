// Draws diagrams for the page around it (src/features/chat/markdown/draw-diagram.ts), which shows the result as an image. What a
// model wrote runs through Mermaid here and nowhere else: this document has no origin, no network and no storage (api/ui.py).
const config = {
  startOnLoad: false,
  securityLevel: "strict",
  suppressErrorRendering: true,
  // An image draws no HTML, and measures in the same font as here.
  htmlLabels: false,
  flowchart: { htmlLabels: false },
  fontFamily: "system-ui, sans-serif",
  maxTextSize: 50_000,
  maxEdges: 500,
  secure: ["secure", "securityLevel", "startOnLoad", "maxTextSize", "maxEdges", "htmlLabels", "flowchart", "fontFamily"],
};

/** As XML, with a size of its own: a percentage says nothing in an image. */
function asImage(svg) {
  const place = document.createElement("div");
  place.innerHTML = svg;
  const drawing = place.querySelector("svg");
  const { width, height } = drawing.viewBox.baseVal;
  drawing.setAttribute("width", String(Math.ceil(width)));
  drawing.setAttribute("height", String(Math.ceil(height)));
  for (const element of drawing.querySelectorAll("*")) {
    if (element.matches("script, image, foreignObject iframe")) element.remove();
    for (const { name, value } of [...element.attributes]) {
      if (/^on|href$/i.test(name) && !value.startsWith("#")) element.removeAttribute(name);
    }
  }
  return new XMLSerializer().serializeToString(drawing);
}

addEventListener("message", async ({ data, source }) => {
  if (source !== parent) return;
  const { id, code, dark } = data;
  const tell = (told) => parent.postMessage({ id, ...told }, "*");
  try {
    mermaid.initialize({ ...config, theme: dark ? "dark" : "default" });
    const { svg } = await mermaid.render(`diagram-${id}`, code);
    tell({ svg: asImage(svg) });
  } catch (error) {
    tell({ problem: String(error?.message ?? error).slice(0, 500) });
  }
});
parent.postMessage({ ready: true }, "*");
