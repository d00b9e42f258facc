/** Rows that come one after the other, stored as they come. */

import { assertEquals, assertRejects } from "@std/assert";
import { connect } from "../../../mod.ts";
import { importFile } from "../../../src/ingest/mod.ts";
import { withPauses } from "../../../src/ingest/with_pauses.ts";
import { imported, importedText } from "../../support/imported.ts";
import { until } from "../../support/until.ts";

/** A pipe: what is written, until it is closed. */
function pipe(): { write(text: string): void; close(): void; bytes: AsyncIterable<Uint8Array> } {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  return {
    write: (text) => void writer.write(encoder.encode(text)).catch(() => {}),
    close: () => void writer.close().catch(() => {}),
    bytes: readable,
  };
}

Deno.test("importFile: live, rows are stored while more may come, and half a row waits", async () => {
  await using db = await connect("memory:");
  const stateFolder = await Deno.makeTempDir();
  try {
    const { write, close, bytes } = pipe();
    const running = importFile(db, bytes, { into: "f", stateFolder, live: true });
    const count = async (): Promise<bigint> => {
      const [stream] = await Array.fromAsync(db.lookupStreams("f"));
      return stream === undefined ? 0n : await stream.count();
    };
    write("time,v\n2026-03-01T00:00:00Z,1\n");
    await until("row 1 is stored", async () => await count() === 1n);
    write("2026-03-01T00:00:01Z,2\n2026-03-01T00:00:02Z,1");
    await until("row 2 is stored", async () => await count() === 2n);
    write("2.5\n");
    await until("row 3 is stored", async () => await count() === 3n);
    close();
    const { points, rows, warnings } = await running;
    assertEquals([points, rows, warnings], [3n, 3, []]);
    const [stream] = await Array.fromAsync(db.lookupStreams("f"));
    const all = await stream!.rawValues(-(1n << 60n), 3n << 60n).collect();
    assertEquals([...all.values], [1, 2, 12.5]);
  } finally {
    await Deno.remove(stateFolder, { recursive: true });
  }
});

Deno.test("importFile: live is for what comes, with streams that are known", async () => {
  const text = "ts,name,v\n2026-03-01T00:00:00Z,a,1\n";
  await assertRejects(() => importedText(text, { live: true }), Error, "is no pipe");
  const { bytes, close } = pipe();
  close();
  await assertRejects(() => imported(bytes, { live: true, by: "name" }), Error, "together");
});

Deno.test("withPauses: a pause is told once, and all chunks come in order", async () => {
  const { write, close, bytes } = pipe();
  const chunks = withPauses(bytes, 1);
  write("a");
  const seen: (string | undefined)[] = [];
  for await (const chunk of chunks) {
    if (chunk === undefined && seen.at(-1) === undefined) continue;
    seen.push(chunk === undefined ? undefined : new TextDecoder().decode(chunk));
    if (chunk === undefined && seen.length === 2) write("b");
    if (chunk === undefined && seen.length === 4) close();
  }
  assertEquals(seen, ["a", undefined, "b", undefined]);
});
