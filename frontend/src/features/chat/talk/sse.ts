/** One server-sent event; `id` is the last id seen on the stream, as the standard has it. */
export interface ServerEvent {
  id: string;
  type: string;
  data: string;
}

const LINE_END = /\r\n|\n|\r(?!$)/g;

/** Incremental parser of text/event-stream: events may be split anywhere; lines end in LF, CRLF or CR; `:` starts a comment. */
export class EventParser {
  private rest = "";
  private id = "";
  private type = "";
  private data: string[] = [];

  feed(text: string): ServerEvent[] {
    const buffer = this.rest + text;
    const events: ServerEvent[] = [];
    let start = 0;
    // A CR at the very end may be half of a CRLF, so LINE_END leaves it for the next call.
    for (const end of buffer.matchAll(LINE_END)) {
      const event = this.line(buffer.slice(start, end.index));
      if (event) events.push(event);
      start = end.index + end[0].length;
    }
    this.rest = buffer.slice(start);
    return events;
  }

  private line(line: string): ServerEvent | null {
    if (line === "") return this.dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.data.push(value);
    else if (field === "event") this.type = value;
    else if (field === "id" && !value.includes("\0")) this.id = value;
    return null;
  }

  private dispatch(): ServerEvent | null {
    const event = this.data.length ? { id: this.id, type: this.type || "message", data: this.data.join("\n") } : null;
    this.data = [];
    this.type = "";
    return event;
  }
}

/** The events of a response body; an event without its closing blank line is dropped, as the standard has it. */
export async function* readEvents(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<ServerEvent> {
  const parser = new EventParser();
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.feed(value);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
