import { assert, assertEquals } from "@std/assert";
import { encodeBlock } from "../../../src/kernel/encode_block.ts";
import { mergeFirstRows, mergeTimes } from "../../../src/kernel/merge_times.ts";
import { Random } from "../../support/random.ts";

/** Streams whose points share a few times; some have none, some the same time again and again. */
function manyStreams(random: Random, streams: number, most: number): BigInt64Array[] {
  return Array.from({ length: streams }, () => {
    const n = random.int(0, most);
    return BigInt64Array.from({ length: n }, () => BigInt(random.int(0, 3 * most))).sort();
  });
}

/** Puts the rows of pieces one behind the other, and does other work with the kernel in every pause. */
function mergedInPieces(streams: readonly BigInt64Array[], most: number) {
  const times: bigint[] = [], rows: number[][] = streams.map(() => []);
  let rest = streams, pauses = 0;
  const used = new Int32Array(streams.length);
  for (;;) {
    const steps = mergeFirstRows(rest, most);
    let step = steps.next();
    for (; !step.done; step = steps.next()) {
      pauses++;
      const values = new Float64Array(5_000).fill(pauses);
      encodeBlock({ times: new BigInt64Array(5_000), values }, 0, 5_000);
    }
    const made = step.value;
    if (made.times.length === 0) return { times, rows, pauses };
    times.push(...made.times);
    made.rows.forEach((indices, s) => {
      rows[s]!.push(...Array.from(indices, (index) => index < 0 ? -1 : index + used[s]!));
    });
    made.used.forEach((n, s) => used[s]! += n);
    rest = streams.map((all, s) => all.subarray(used[s]));
  }
}

// The points of 10,000 streams were copied in, merged and handed on in one step, of 13 to 21 ms.
Deno.test("mergeFirstRows: rows of thousands of streams are made in steps, whatever the kernel does meanwhile", () => {
  const random = new Random(13);
  for (const [streams, most] of [[1_500, 40], [1_025, 3], [1_024, 40], [3, 500]] as const) {
    const all = manyStreams(random, streams, most);
    const { times, rows } = mergeTimes(all);
    for (const piece of [7, 1_000]) {
      const { pauses, ...pieces } = mergedInPieces(all, piece);
      assertEquals(BigInt64Array.from(pieces.times), times);
      assert(rows.every((indices, s) => indices.every((index, r) => index === pieces.rows[s]![r])));
      assert(streams <= 1_024 || pauses > times.length / piece * (streams / 512));
    }
  }
});
