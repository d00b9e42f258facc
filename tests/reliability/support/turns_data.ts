/** Streams and points of the server that `turns.ts` measures. */

import type { BTrDB } from "../../../mod.ts";

/** Streams of the calls on very many. */
export const MANY = 10_000;
/** Points of each of them. */
const EACH = 24;
/** Points of the longest stream, one a millisecond. */
export const LONG = 1_000_000;
/** Streams that are long, and their points. */
const WIDE = 10, WIDE_POINTS = 100_000;
/** Streams with many tags. */
const TAGGED = 1_000;
/** Streams that are written to, and that no message reads: points of one would be rows of 10,000 columns. */
const WRITTEN = 4_500;

/** Start of all points, ns. */
export const START = 1_700_000_000_000_000_000n;
/** Time from one point to the next, ns. */
export const STEP = 1_000_000n;

/** The uuid of a stream, by kind and number. */
function uuidOf(kind: string, i: number): string {
  return `00000000-0000-4000-8${kind}-${i.toString(16).padStart(12, "0")}`;
}

/** The long stream. */
export const LONG_UUID: string = uuidOf("001", 0);
export const WIDE_UUIDS: readonly string[] = Array.from(
  { length: WIDE },
  (_, i) => uuidOf("002", i),
);
export const MANY_UUIDS: readonly string[] = Array.from(
  { length: MANY },
  (_, i) => uuidOf("003", i),
);
export const WRITTEN_UUIDS: readonly string[] = Array.from(
  { length: WRITTEN },
  (_, i) => uuidOf("005", i),
);

/** Values that do not compress well, the same each time. */
export function noise(n: number, seed = 1): Float64Array {
  let state = seed;
  return Float64Array.from({ length: n }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return 230 + state / 2 ** 33;
  });
}

/** Times of as many points. */
export function timesOf(n: number): BigInt64Array {
  return BigInt64Array.from({ length: n }, (_, i) => START + BigInt(i) * STEP);
}

/** Makes all streams with their points. */
export async function fillForTurns(db: BTrDB): Promise<void> {
  const make = async (uuid: string, collection: string, name: string, n: number, tags = {}) => {
    const stream = await db.create(uuid, collection, { tags: { name, unit: "V", ...tags } });
    if (n > 0) await stream.insert({ times: timesOf(n), values: noise(n, n + name.length) });
  };
  await make(LONG_UUID, "long", "l", LONG);
  await Promise.all(WIDE_UUIDS.map((uuid, i) => make(uuid, "wide", `w${i}`, WIDE_POINTS)));
  const tags = Object.fromEntries(
    Array.from({ length: 33 }, (_, t) => [`tag${t}`, `value of ${t}`]),
  );
  const makeAll = async (uuids: readonly string[], collection: (i: number) => string) => {
    for (let from = 0; from < uuids.length; from += 500) {
      await Promise.all(
        uuids.slice(from, from + 500).map((uuid, i) =>
          make(uuid, collection(from + i), `m${from + i}`, EACH)
        ),
      );
    }
  };
  await makeAll(MANY_UUIDS, (i) => `many/c${i % 10}`);
  await makeAll(WRITTEN_UUIDS, () => "written");
  await Promise.all(
    Array.from({ length: TAGGED }, (_, i) => make(uuidOf("004", i), "tagged", `t${i}`, 0, tags)),
  );
}
