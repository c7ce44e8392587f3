import { describe, expect, it } from "vitest";
import { EventParser, readEvents, type ServerEvent } from "./sse";

function streamOf(...chunks: Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

const encode = (text: string) => new TextEncoder().encode(text);

describe("EventParser", () => {
  const wire =
    ': keep-alive\r\n\r\nid: 1\r\nevent: start\r\ndata: {"a":1}\r\n\r\nid: 2\nevent: delta\ndata: one\ndata: two\n\nid: 3\rdata:x\r\r';
  const expected: ServerEvent[] = [
    { id: "1", type: "start", data: '{"a":1}' },
    { id: "2", type: "delta", data: "one\ntwo" },
    { id: "3", type: "message", data: "x" },
  ];

  it("loses nothing wherever the network splits an event", () => {
    for (let cut = 0; cut <= wire.length; cut += 1) {
      const parser = new EventParser();
      const events = [...parser.feed(wire.slice(0, cut)), ...parser.feed(wire.slice(cut)), ...parser.feed("\n")];
      expect(events, `cut at ${cut}`).toEqual(expected);
    }
  });

  it("reads one character at a time", () => {
    const parser = new EventParser();
    expect([...wire, "\n"].flatMap((character) => parser.feed(character))).toEqual(expected);
  });

  it("keeps a comment from becoming an event and an id from being lost", () => {
    const parser = new EventParser();
    expect(parser.feed("id: 7\n\n: ping\n\ndata: late\n\n")).toEqual([{ id: "7", type: "message", data: "late" }]);
  });
});

describe("readEvents", () => {
  it("joins a character split between two network reads", async () => {
    const bytes = encode("data: naïve €\n\n");
    const events: ServerEvent[] = [];
    for await (const event of readEvents(streamOf(bytes.slice(0, 9), bytes.slice(9, 14), bytes.slice(14)))) {
      events.push(event);
    }
    expect(events.map((event) => event.data)).toEqual(["naïve €"]);
  });

  it("does not take a cut event for a whole one", async () => {
    const events: ServerEvent[] = [];
    for await (const event of readEvents(streamOf(encode("data: whole\n\ndata: cut")))) events.push(event);
    expect(events.map((event) => event.data)).toEqual(["whole"]);
  });

  it("cancels the body when the reader leaves early", async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        controller.enqueue(encode("data: x\n\n"));
      },
      cancel() {
        cancelled = true;
      },
    });
    for await (const _event of readEvents(body)) break;
    expect(cancelled).toBe(true);
  });
});
