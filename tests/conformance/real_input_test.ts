/**
 * An export that a real BTrDB wrote, through `deno task demo`: 115,200 points at 1 kHz.
 */

import { assertEquals } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { parseCsv } from "@btrdb/btrdb/kernel";
import { runDeno, withFolder } from "../support/run.ts";

const INPUT = new URL("../../../shared/data/ekg.csv.gz", import.meta.url);
const DEMO = new URL("../../tools/demo.ts", import.meta.url).pathname;

/** The unpacked input, or undefined where the recording is not present. */
async function readInput(): Promise<Uint8Array | undefined> {
  try {
    const { readable } = await Deno.open(INPUT);
    const plain = readable.pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(plain).arrayBuffer());
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const input = await readInput();
const NAME = "real input: import, export, and opening again lose nothing";

if (input === undefined) {
  console.warn(`skipped, no recording at ../shared/data/ekg.csv.gz: ${NAME}`);
} else {
  Deno.test(NAME, async (t) => {
    await withFolder(async (folder) => {
      const { code, stdout, stderr } = await runDeno(
        ["run", "-A", "--quiet", DEMO, "--out", folder, INPUT.pathname],
      );
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
      const original = parseCsv(input);

      await t.step("the demo says what it did", () => {
        assertEquals(stdout.includes("1 streams, 115,200 points"), true, stdout);
        assertEquals(stdout.includes("Opened again: 115,200 points are there"), true, stdout);
      });

      await t.step("numbers: fixed6 gives the same bytes", async () => {
        const exported = await Deno.readFile(`${folder}/ekg.fixed6.csv`);
        assertEquals(firstDifference(exported, input), -1);
      });

      await t.step("numbers: shortest reads back to the same doubles", async () => {
        const exported = parseCsv(await Deno.readFile(`${folder}/ekg.shortest.csv`));
        assertEquals(exported.map(({ label }) => label), ["s0016lre_i"]);
        assertEquals(exported, original);
      });

      await t.step("opening the file again shows everything", async () => {
        await using db = await connect(`file:${folder}/ekg.btrdb`);
        const streams = await Array.fromAsync(db.lookupStreams("demo/ekg"));
        assertEquals(await Promise.all(streams.map((s) => s.tags())), [{ name: "s0016lre_i" }]);
        const { times } = original[0]!;
        const { times: again, values } = await streams[0]!
          .rawValues(times[0]!, times.at(-1)! + 1n).collect();
        assertEquals({ times: again, values }, { times, values: original[0]!.values });
      });
    });
  });
}

/** Offset of the first byte that differs; −1 for equal arrays. */
function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i;
  return a.length === b.length ? -1 : length;
}
