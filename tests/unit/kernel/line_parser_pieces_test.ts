import { assert, assertEquals } from "@std/assert";
import { type LineBatch, LineParser } from "../../../src/kernel/line_parser.ts";

function batchesOf(text: string): LineBatch[] {
  const parser = new LineParser({ unit: 1n, now: 0n });
  return [...parser.push(new TextEncoder().encode(text)), ...parser.finish()];
}

// A batch of 256 KiB of such lines kept the event loop of a server for more than 10 ms.
Deno.test("LineParser: where every line has tags of its own, batches are smaller", () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `cpu,host=h${i},region=eu v=${i} ${i}\n`);
  const batches = batchesOf(lines.join(""));
  assertEquals(batches.reduce((sum, { groups }) => sum + groups.length, 0), 20_000);
  const most = Math.max(...batches.map(({ series }) => series.length));
  assert(most < 2_500, `${most} series in a batch`);
});

Deno.test("LineParser: batches of lines of few series are large, but for the first one", () => {
  const batches = batchesOf(`cpu,host=h v=1 1\n`.repeat(60_000));
  assertEquals(batches.reduce((sum, { groups }) => sum + groups.length, 0), 60_000);
  assert(batches.length <= 6, `${batches.length} batches`);
});
