import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { BTrDBError } from "../../../src/core/errors.ts";
import { checkNumbers } from "../../../src/engine/file/checksum.ts";
import { openEngine, verify } from "../../../src/engine/mod.ts";
import {
  decodeLateList,
  decodeLateRun,
  encodeLateList,
  encodeLateRun,
  type LateList,
} from "../../../src/engine/tree/late_codec.ts";
import { lateOf, type LatePoints } from "../../../src/engine/tree/late_points.ts";
import { HOSTILE_UUID as uuid, readHostile } from "../../support/hostile_tree.ts";
import { EAGER_LATE } from "../../support/late_limits.ts";

/** Points of the first version, 1 ms apart. */
const POINTS = 40_000;

async function writeBase(path: string): Promise<void> {
  await using engine = await openEngine({
    path,
    lateLimits: { ...EAGER_LATE, least: 20_000, batch: Infinity },
  });
  const metadata = { tags: new Map([["name", "x"]]), annotations: new Map() };
  await engine.create({ uuid, collection: "hostile", ...metadata });
  const insert = async (n: number, step: bigint, first: bigint) => {
    const times = BigInt64Array.from({ length: n }, (_, i) => first + BigInt(i) * step);
    await engine.insert({ uuid, columns: { times, values: Float64Array.from(times, Number) } });
    await engine.flush(uuid);
  };
  await insert(POINTS, 1_000_000n, 0n);
  await insert(500, 80_000_000n, 7n);
  await insert(500, 80_000_000n, 9n);
  await engine.deleteRange({ uuid, start: 3_000_000_000n, end: 4_000_000_000n });
}

/** The list of the latest version, to be changed. */
class LateSurgeon {
  readonly db: DatabaseSync;
  readonly address: number;
  readonly list: LateList;
  readonly #major: number;

  constructor(path: string) {
    this.db = new DatabaseSync(path);
    const sql = "SELECT major, root FROM version ORDER BY major DESC LIMIT 1";
    const row = this.db.prepare(sql).get()!;
    this.#major = Number(row["major"]);
    this.address = Number(row["root"]);
    this.list = decodeLateList(this.address, this.read(this.address));
  }

  read(address: number): Uint8Array {
    return this.db.prepare("SELECT data FROM block WHERE id = ?").get(
      address,
    )!["data"] as Uint8Array;
  }

  write(address: number, data: Uint8Array): void {
    this.db.prepare("UPDATE block SET data = ? WHERE id = ?").run(data, address);
  }

  writeList(change: Partial<LateList>): void {
    this.write(this.address, encodeLateList(this.address, { ...this.list, ...change }));
  }

  /** Changes the points of the latest run. */
  writeRun(change: (points: LatePoints) => LatePoints): void {
    const run = this.list.runs.at(-1)!;
    const points = decodeLateRun(run, this.read(run.address));
    this.write(run.address, encodeLateRun(run.address, change(points)));
  }

  setVersion(address: number, major = this.#major): void {
    this.db.prepare("UPDATE version SET root = ?, checksum = ? WHERE major = ?")
      .run(address, checkNumbers(1, major, address), major);
  }

  /** Address of the version before. */
  get earlier(): number {
    const sql = "SELECT root FROM version WHERE major = ?";
    return Number(this.db.prepare(sql).get(this.#major - 1)!["root"]);
  }
}

interface Attack {
  name: string;
  run(late: LateSurgeon): void;
  /** True if only `verify` can tell: reads answer with what the file says. */
  isBelieved?: boolean;
}

const ATTACKS: Attack[] = [
  {
    name: "a list whose root is the list itself",
    run: (late) => late.writeList({ root: late.address }),
  },
  {
    name: "a list whose root is another list",
    run: (late) => late.writeList({ root: late.earlier }),
  },
  {
    name: "a list whose root is a run",
    run: (late) => late.writeList({ root: late.list.runs[0]!.address }),
  },
  { name: "a list without a root", run: (late) => late.writeList({ root: 0 }) },
  { name: "a root that is NaN", run: (late) => late.writeList({ root: NaN }) },
  { name: "a root that is not there", run: (late) => late.writeList({ root: 3.5 }) },
  { name: "a list without runs", run: (late) => late.writeList({ runs: [] }) },
  {
    name: "a run that is there twice",
    run: (late) => late.writeList({ runs: [...late.list.runs, late.list.runs.at(-1)!] }),
  },
  {
    name: "runs in another order",
    run: (late) => late.writeList({ runs: late.list.runs.toReversed() }),
  },
  {
    name: "a run that is the list itself",
    run: (late) => late.writeList({ runs: [{ address: late.address, count: 500 }] }),
  },
  {
    name: "a run that is the root",
    run: (late) => late.writeList({ runs: [{ address: late.list.root, count: 500 }] }),
  },
  {
    name: "a run that is a leaf",
    run: (late) => late.writeList({ runs: [{ address: 1, count: 500 }] }),
  },
  {
    name: "a run that is not there",
    run: (late) => {
      const { address } = late.list.runs[0]!;
      late.db.prepare("DELETE FROM block WHERE id = ?").run(address);
    },
  },
  ...[0, 1, 499, 501, 2 ** 20 + 1, 2 ** 32 - 1].map((count): Attack => ({
    name: `a run of ${count} points`,
    run: (late) => {
      const runs = late.list.runs.map((run) => ({ ...run, count }));
      late.writeList({ runs });
    },
  })),
  {
    name: "a run of a later version",
    run: (late) => late.writeRun((points) => lateOf(points, 99)),
    isBelieved: true,
  },
  { name: "a run of version 10", run: (late) => late.writeRun((points) => lateOf(points, 10)) },
  { name: "a run of version NaN", run: (late) => late.writeRun((points) => lateOf(points, NaN)) },
  {
    name: "a run of a version too large",
    run: (late) => late.writeRun((points) => lateOf(points, 2 ** 53)),
  },
  {
    name: "a run out of order",
    run: (late) =>
      late.writeRun((points) => ({ ...points, times: points.times.toReversed() as BigInt64Array })),
  },
  {
    name: "a run with a NaN",
    run: (late) =>
      late.writeRun((points) => ({
        ...points,
        values: points.values.with(3, NaN) as Float64Array,
      })),
  },
  {
    name: "a run with a time beyond the tree",
    run: (late) =>
      late.writeRun((points) => ({
        ...points,
        times: points.times.with(-1, 2n ** 62n) as BigInt64Array,
      })),
  },
  {
    name: "a run with a time that is in no leaf",
    run: (late) =>
      late.writeRun((points) => ({
        ...points,
        times: points.times.with(-1, 2n ** 60n) as BigInt64Array,
      })),
    isBelieved: true,
  },
  {
    name: "a run that is cut off",
    run: (late) => {
      const { address } = late.list.runs[0]!;
      late.write(address, late.read(address).slice(0, 40));
    },
  },
  {
    name: "a list that is cut off",
    run: (late) => late.write(late.address, late.read(late.address).slice(0, 20)),
  },
  {
    name: "a list of no length",
    run: (late) => late.write(late.address, late.read(late.address).slice(0, 5)),
  },
  {
    name: "a cut that ends before it begins",
    run: (late) => late.writeList({ cuts: [{ start: 5n, end: 4n, before: 1 }] }),
  },
  {
    name: "a cut that takes points away",
    run: (late) => {
      const cut = { start: 0n, end: 1_000_000_000n, before: late.address };
      late.writeList({ cuts: [...late.list.cuts, cut] });
    },
  },
  { name: "a cut that is forgotten", run: (late) => late.writeList({ cuts: [] }) },
  {
    name: "a cut of a fraction",
    run: (late) => late.writeList({ cuts: [{ start: 4n, end: 5n, before: 1.5 }] }),
  },
  {
    name: "more cuts than there may be",
    run: (late) => {
      const cut = { start: 4n, end: 5n, before: 1 };
      late.writeList({ cuts: Array(300).fill(cut) });
    },
  },
  {
    name: "a version that is the list of an earlier one",
    run: (late) => late.setVersion(late.earlier),
    isBelieved: true,
  },
  { name: "a version that is a run", run: (late) => late.setVersion(late.list.runs[0]!.address) },
];

Deno.test("rawValues, windows, nearest, changes, verify: late points that lie are CORRUPT, whoever sealed them", async (t) => {
  const directory = await Deno.makeTempDir();
  try {
    const base = `${directory}/base.btrdb`;
    await writeBase(base);
    const expected = await readHostile(base);
    assert(expected.every((answer) => typeof answer === "string"));
    assertEquals((await verify(base)).problems, []);
    for (const { name, run, isBelieved = false } of ATTACKS) {
      await t.step(name, async () => {
        const path = `${directory}/attack.btrdb`;
        await Deno.copyFile(base, path);
        const late = new LateSurgeon(path);
        run(late);
        late.db.close();
        const report = await verify(path);
        assert(!report.ok && report.problems.length > 0, "verify found nothing");
        for (const [i, answer] of (await readHostile(path)).entries()) {
          if (typeof answer === "string") {
            assert(isBelieved || answer === expected[i], `read ${i} gives another answer`);
          } else {
            assert(answer instanceof BTrDBError, `read ${i}: ${answer}`);
            assert(answer.status === "CORRUPT", `read ${i}: ${answer}`);
          }
        }
        await assertEnds(path);
        await Deno.remove(path);
      });
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/** Writes, deletes and prunes: each is done or refused, and all of it ends. */
async function assertEnds(path: string): Promise<void> {
  await using engine = await openEngine({ path, lateLimits: EAGER_LATE });
  const times = BigInt64Array.from({ length: 300 }, (_, i) => BigInt(i) * 70_000_003n);
  const columns = { times, values: new Float64Array(300) };
  const calls = [
    () => engine.insert({ uuid, columns }),
    () => engine.flush(uuid),
    () => engine.insert({ uuid, columns, mergePolicy: "replace" }),
    () => engine.deleteRange({ uuid, start: 10_000_000_000n, end: 11_000_000_000n }),
    async () => {
      const request = { uuid, omitVersion: false, omitDescriptor: true };
      await engine.prune(uuid, (await engine.streamInfo(request)).version!.major);
    },
  ];
  for (const call of calls) {
    try {
      await call();
    } catch (error) {
      assert(error instanceof BTrDBError, `${error}`);
      assert(error.status === "CORRUPT", `${error}`);
    }
  }
}
