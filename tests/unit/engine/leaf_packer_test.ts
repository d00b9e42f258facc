import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { Worker } from "node:worker_threads";
import { concatRaw, type RawColumns, sliceRaw } from "../../../src/core/columns.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import { gallop } from "../../../src/core/search.ts";
import { sortPoints } from "../../../src/kernel/sort.ts";
import {
  childPointwidth,
  LEAF_POINTS,
  ROOT_POINTWIDTH,
  ROOT_START,
} from "../../../src/engine/constants.ts";
import { openSqlite } from "../../../src/engine/file/sqlite.ts";
import { type Engine, verify } from "../../../src/engine/mod.ts";
import { openEngine } from "../../../src/engine/open.ts";
import { lastLeaf } from "../../../src/engine/packing/last_leaf.ts";
import { LeafPacker, PACKING_POINTS } from "../../../src/engine/packing/leaf_packer.ts";
import { packLeaves } from "../../../src/engine/packing/pack_leaves.ts";
import { PackingDesk } from "../../../src/engine/packing/packing_desk.ts";
import { columnsAt, createStream, regular } from "../../support/engine.ts";
import { holds } from "../../support/property.ts";
import { Random } from "../../support/random.ts";
import { until } from "../../support/until.ts";

const SECOND = 1_000_000_000n;

/** Leaves of points alone in a tree, from the rules for nodes, top down. */
function* leavesOf(times: BigInt64Array): Generator<[from: number, to: number]> {
  yield* leavesBelow(times, 0, times.length, ROOT_POINTWIDTH, ROOT_START);
}

function* leavesBelow(
  times: BigInt64Array,
  from: number,
  to: number,
  pointwidth: number,
  start: bigint,
): Generator<[number, number]> {
  for (let at = from, next: number; at < to; at = next) {
    const bucket = (times[at]! - start) >> BigInt(pointwidth);
    const begin = start + (bucket << BigInt(pointwidth));
    next = gallop(times, begin + (1n << BigInt(pointwidth)), at, to);
    const below = childPointwidth(pointwidth);
    if (next - at < LEAF_POINTS || below === 0) yield [at, next];
    else yield* leavesBelow(times, at, next, below, begin);
  }
}

/** Times in runs of all lengths and densities, many of them equal. */
const runsOfTimes = fc.array(
  fc.record({
    n: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1000, max: 3000 })),
    gap: fc.oneof(fc.bigInt(0n, 100n), fc.bigInt(0n, 1n << 59n)),
    step: fc.oneof(fc.constantFrom(0n, 1n, 3n), fc.bigInt(0n, 1n << 48n)),
  }),
  { minLength: 1, maxLength: 4 },
).map((runs) => {
  const times: bigint[] = [];
  let time = -(1n << 60n) + 1n;
  for (const { n, gap, step } of runs) {
    time += gap;
    for (let i = 0; i < n && time < 1n << 61n; i++, time += step) times.push(time);
  }
  return BigInt64Array.from(times);
}).filter((times) => times.length > 0);

Deno.test("lastLeaf: from the last to the first it finds the leaves that the rules of the tree make", () => {
  holds(
    fc.property(runsOfTimes, (times) => {
      const found: [number, number][] = [];
      for (let to = times.length; to > 0;) {
        const from = lastLeaf(times, to);
        found.unshift([from, to]);
        to = from;
      }
      assertEquals(found, [...leavesOf(times)]);
    }),
    200,
  );
});

/** In place of a thread: makes all leaves at once, so that the writer finds each of them. */
class Prompt {
  readonly asked: number[] = [];
  made = 0;

  readonly start = (): Worker => {
    const fake = {
      unref() {},
      on: () => fake,
      terminate: () => Promise.resolve(0),
      postMessage: (memory: SharedArrayBuffer) => {
        const desk = new PackingDesk(memory);
        packLeaves(desk);
        this.asked.push(desk.leaves);
        this.made += desk.leaves;
      },
    };
    return fake as unknown as Worker;
  };
}

/** Points of many kinds: regular, with gaps, of one moment, nearly random, before 1970. */
function inserts(): RawColumns[] {
  const numbers = new Random(15);
  const noisy = (columns: RawColumns) => ({
    ...columns,
    values: columns.values.map(() => Math.fround(60 + numbers.next() / 16)),
  });
  const gaps = regular(400_000, 2n * SECOND, 8_333_333n);
  gaps.times.forEach((time, i) => gaps.times[i] = time + BigInt(i >> 15) * 86_400n * SECOND);
  const random = sortPoints({
    times: BigInt64Array.from({ length: 150_000 }, () => {
      return 10_000_000n * SECOND + BigInt(numbers.int(0, 2 ** 32)) * 999_983n;
    }),
    values: Float64Array.from({ length: 150_000 }, (_, i) => i),
  });
  const last = random.times.at(-1)!;
  return [
    noisy(regular(600_000, -5_000n * SECOND, 8_333_333n)),
    noisy(gaps),
    random,
    concatRaw([regular(3_000, last, 0n), noisy(regular(100_000, last + 5n, 1n))]),
    noisy(regular(70_000, last + SECOND, 7n)),
    noisy(regular(80_000, last + 2n * SECOND, 1_000_000n)),
  ];
}

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** All that is in a file of streams and points. */
function contentOf(path: string) {
  const db = openSqlite(path, { readOnly: true });
  try {
    return ["block", "version", "journal"].map((table) =>
      db.prepare(`SELECT * FROM ${table}`).all()
    );
  } finally {
    db.close();
  }
}

/** Inserts all at once and closes; the content of the file. */
async function write(path: string, all: readonly RawColumns[], packer?: LeafPacker) {
  {
    await using engine = await openEngine({ path, packer });
    const uuid = await createStream(engine);
    await Promise.all(all.map((columns) => engine.insert({ uuid, columns })));
    await engine.flush(uuid);
  }
  assertEquals((await verify(path)).problems, []);
  return contentOf(path);
}

Deno.test("LeafPacker: a file whose leaves were made ahead is the same, block by block", async () => {
  await withFolder(async (folder) => {
    const all = inserts();
    const prompt = new Prompt();
    const ahead = await write(`${folder}/ahead`, all, new LeafPacker(prompt.start));
    const alone = await write(`${folder}/alone`, all);
    assertEquals(prompt.asked.length, all.length);
    assert(prompt.asked.every((leaves) => leaves > 50), prompt.asked.join());
    assert(ahead[0]!.length > prompt.made);
    for (const [i, table] of ahead.entries()) {
      assertEquals(table.length, alone[i]!.length);
      for (const [row, columns] of table.entries()) assertEquals(columns, alone[i]![row]);
    }
  });
});

// A million points were laid down at once, 16 MiB in memory that was new: nothing else ran for 11 ms.
Deno.test("PackingDesk: many points are laid down in steps, and taken when the last ones are", () => {
  const desk = new PackingDesk();
  const points = regular(600_000, 0n, 8_333_333n);
  const steps = desk.lay(points);
  for (let i = 0; i < 2; i++) {
    assertEquals(steps.next().done, false);
    assertEquals(desk.take(), undefined);
  }
  assertEquals(steps.next().done, true);
  assertEquals(desk.take(), points);
});

Deno.test("LeafPacker: an insert that ends while it is laid down leaves its desk to the next", async () => {
  const prompt = new Prompt();
  const packer = new LeafPacker(prompt.start);
  const [first, second, third] = [0n, 1n, 2n].map((n) => packer.begin(regular(600_000, n)));
  first!.end();
  second!.end();
  await until("the third is laid down", () => prompt.asked.length === 1);
  third!.end();
});

// The error of a caller that gave its columns to a thread without waiting for the insert was caught by
// nobody in the packer: it ended the program.
Deno.test("LeafPacker: an insert whose memory is transferred while it is laid down leaves its desk to the next", async () => {
  const prompt = new Prompt();
  const packer = new LeafPacker(prompt.start);
  const points = [0n, 1n, 2n].map((n) => regular(600_000, n));
  const packings = points.map((columns) => packer.begin(columns));
  for (const { values } of points.slice(0, 2)) {
    structuredClone(values.buffer, { transfer: [values.buffer] });
  }
  await until("the third is laid down", () => prompt.asked.length === 1);
  for (const packing of packings) packing!.end();
});

Deno.test("LeafPacker: leaves that were made ahead are used", async () => {
  await withFolder(async (folder) => {
    const prompt = new Prompt();
    const packer = new LeafPacker(prompt.start);
    assertEquals(packer.begin(regular(500_000)), undefined);
    // As many as are laid down at once.
    const columns = regular(250_000, 0n, 8_333_333n);
    const packing = packer.begin(columns)!;
    let used = 0;
    for (const [from, to] of leavesOf(columns.times)) {
      const leaf = packing.leaf(columns, from, to);
      assertEquals(leaf?.stats.count, to - from);
      used++;
    }
    assertEquals(used, prompt.made);
    // A part is found where it is, other points nowhere.
    const [first, second] = [...leavesOf(columns.times)].slice(0, 2);
    const part = sliceRaw(columns, first![1], 250_000);
    assertEquals(
      packing.leaf(part, 0, second![1] - second![0]),
      packing.leaf(columns, second![0], second![1]),
    );
    const copy = { times: columns.times.slice(), values: columns.values.slice() };
    assertEquals(packing.leaf(copy, first![0], first![1]), undefined);
    assertEquals(packing.leaf(columns, first![0], first![1] - 1), undefined);
    columns.times[0]!--;
    assertEquals(packing.leaf(columns, first![0], first![1]), undefined);
    columns.times[0]!++;
    packing.end();
    packing.end();
    assertEquals(packing.leaf(columns, first![0], first![1]), undefined);
    await write(`${folder}/file`, [columns], packer);
    assertEquals(prompt.asked.length, 2);
  });
});

Deno.test("LeafPacker: in a thread of its own it makes the same leaves", async () => {
  await withFolder(async (folder) => {
    const packer = new LeafPacker();
    const all = inserts();
    const ahead = await write(`${folder}/ahead`, all, packer);
    const again = await write(`${folder}/again`, all, packer);
    await packer.end();
    const alone = await write(`${folder}/alone`, all, packer);
    assert(ahead[0]!.length === alone[0]!.length);
    for (const [row, columns] of alone[0]!.entries()) {
      assertEquals(ahead[0]![row], columns);
      assertEquals(again[0]![row], columns);
    }
  });
});

Deno.test("LeafPacker: a thread that breaks, ends or cannot be started costs nothing but its help", async () => {
  await withFolder(async (folder) => {
    const all = inserts();
    const expected = await write(`${folder}/alone`, all);
    await Deno.writeTextFile(
      `${folder}/breaks.mjs`,
      `import { parentPort } from "node:worker_threads";
       parentPort.on("message", () => { throw new Error("broken on purpose"); });`,
    );
    let exited: Promise<unknown> | undefined;
    const broken = new LeafPacker(() => {
      const thread = new Worker(new URL(`file://${folder}/breaks.mjs`));
      exited = new Promise((resolve) => thread.once("exit", resolve));
      return thread;
    });
    assertEquals(await write(`${folder}/broken`, all, broken), expected);
    await exited;
    assertEquals(broken.begin(all[0]!), undefined);
    const ends = new LeafPacker();
    const written = write(`${folder}/ended`, all, ends);
    await ends.end();
    assertEquals(await written, expected);
    const never = new LeafPacker(() => {
      throw new Error("no threads here");
    });
    assertEquals(await write(`${folder}/never`, all, never), expected);
    assertEquals(await write(`${folder}/none`, all, new LeafPacker(() => undefined)), expected);
  });
});

// A message that could not be sent ended the program, and too little memory for a desk failed the insert.
Deno.test("LeafPacker: without messages or memory all leaves are made by the writer", async () => {
  await withFolder(async (folder) => {
    const all = inserts();
    const expected = await write(`${folder}/alone`, all);
    const prompt = new Prompt();
    let refused = 0;
    const mute = new LeafPacker(() =>
      Object.assign(prompt.start(), {
        postMessage: () => {
          refused++;
          throw new Error("no messages here");
        },
      })
    );
    assertEquals(await write(`${folder}/mute`, all, mute), expected);
    assert(refused > 0);
    const { SharedArrayBuffer } = globalThis;
    try {
      globalThis.SharedArrayBuffer = class extends SharedArrayBuffer {
        constructor(bytes: number) {
          refused++;
          if (bytes > 1 << 20) throw new RangeError("Array buffer allocation failed");
          super(bytes);
        }
      } as typeof SharedArrayBuffer;
      refused = 0;
      assertEquals(await write(`${folder}/narrow`, all, new LeafPacker(prompt.start)), expected);
    } finally {
      globalThis.SharedArrayBuffer = SharedArrayBuffer;
    }
    assert(refused > 0);
    assertEquals(prompt.made, 0);
  });
});

Deno.test("LeafPacker: an engine that is closed meanwhile keeps what it acknowledged", async () => {
  await withFolder(async (folder) => {
    const packer = new LeafPacker();
    const path = `${folder}/closed`;
    const all = inserts();
    const engine = await openEngine({ path, packer });
    const uuid = await createStream(engine);
    const written = all.map((columns) => engine.insert({ uuid, columns }));
    await written[1];
    const closed = engine.close();
    const results = await Promise.allSettled(written);
    await closed;
    await packer.end();
    assert(results.every(({ status }) => status === "fulfilled"));
    assertEquals((await verify(path)).problems, []);
    await using again = await openEngine({ path });
    assertEquals(await columnsAt(again, uuid), concatRaw(all));
  });
});

Deno.test("LeafPacker: inserts that are refused, given up or out of order leave nothing behind", async () => {
  await withFolder(async (folder) => {
    const prompt = new Prompt();
    const path = `${folder}/mixed`;
    const engine: Engine = await openEngine({ path, packer: new LeafPacker(prompt.start) });
    const uuid = await createStream(engine);
    const good = regular(600_000, 0n, 8_333_333n);
    const bad = regular(100_000, 10_000n * SECOND, 7n);
    bad.values[99_999] = NaN;
    const backwards = regular(70_000, 20_000n * SECOND, 9n);
    backwards.times.reverse();
    const rounded = regular(70_000, 30_000n * SECOND, 9n);
    const given = new AbortController();
    const first = engine.insert({ uuid, columns: good });
    const refused = engine.insert({ uuid, columns: bad });
    const up = engine.insert({ uuid, columns: bad }, { signal: given.signal });
    const sorted = engine.insert({ uuid, columns: backwards });
    const between = engine.insert({ uuid, columns: rounded, roundBits: 52 });
    given.abort();
    await Promise.all([
      assertRejects(() => refused, BTrDBError),
      assertRejects(() => up),
      first,
      sorted,
      between,
    ]);
    assertEquals(await columnsAt(engine, uuid), concatRaw([good, sortPoints(backwards), rounded]));
    // What comes between other points is in no leaf of its own.
    const asked = prompt.asked.length;
    await engine.insert({ uuid, columns: regular(100_000, 1n, 8_333_333n) });
    assertEquals(prompt.asked.length, asked);
    await engine.close();
    assertEquals((await verify(path)).problems, []);
  });
});

Deno.test("LeafPacker: few points start no thread", async () => {
  await withFolder(async (folder) => {
    let started = 0;
    const packer = new LeafPacker(() => {
      started++;
      return undefined;
    });
    const few = Array.from({ length: 40 }, (_, i) => {
      return regular(PACKING_POINTS - 1, BigInt(i) * 10_000n * SECOND);
    });
    await write(`${folder}/few`, few, packer);
    await write(`${folder}/one`, [regular(500_000)], packer);
    assertEquals(started, 0);
    await write(`${folder}/many`, [regular(500_000)], packer);
    assertEquals(started, 1);
  });
});
