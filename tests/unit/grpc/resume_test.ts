/** Reads that outlive their connection, and writes whose answer was lost. */

import { assertEquals, assertRejects } from "@std/assert";
import { fromBinary } from "@bufbuild/protobuf";
import { concatRaw, type RawColumns } from "../../../src/core/columns.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import type { Endpoint, RangeRequest } from "../../../src/endpoint/endpoint.ts";
import {
  AlignedWindowsParamsSchema,
  ChangesParamsSchema,
  ChangesResponseSchema,
  RawValuesParamsSchema,
  WindowsParamsSchema,
} from "../../../src/gen/btrdb_v4_pb.ts";
import { connectGrpc } from "../../../src/grpc/mod.ts";
import { LocalService } from "../../support/local_service.ts";
import { bytes, failure, raw, v4Server, windows } from "../../support/scripted_answers.ts";
import {
  type Script,
  type ScriptedCall,
  ScriptedServer,
  status,
} from "../../support/scripted_server.ts";

const uuid = new Uint8Array(16).fill(6);
const FAST = { retry: { initialDelayMs: 1, maxDelayMs: 2, attempts: 5 }, settleMs: 5 };
const gone = () => status(14, "gone");

async function withScript(
  script: Script,
  body: (endpoint: Endpoint, server: ScriptedServer) => Promise<void>,
): Promise<void> {
  await using server = await ScriptedServer.start(script);
  const endpoint = await connectGrpc({ endpoints: [server.address], ...FAST });
  try {
    await body(endpoint, server);
  } finally {
    await endpoint.close();
    // Scripts that break an answer off wait before they do.
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

async function readAll(endpoint: Endpoint, request: RangeRequest): Promise<[bigint, number][]> {
  const batches: RawColumns[] = [];
  for await (const chunk of endpoint.rawValues(request)) batches.push(chunk.columns);
  const { times, values } = concatRaw(batches);
  return Array.from(times, (time, i) => [time, values[i]!]);
}

const POINTS: [bigint, number][] = [[1n, 1], [2n, 2], [5n, 3], [5n, 4], [5n, 5], [5n, 6], [9n, 7]];

/** Raw values from POINTS, broken off after each of `cuts` points in turn. */
function broken(cuts: number[], asked: { start: bigint; version: bigint }[], minor = 0n) {
  return async (call: ScriptedCall) => {
    const { start, end, versionMajor } = fromBinary(RawValuesParamsSchema, call.request);
    asked.push({ start, version: versionMajor });
    const rows = POINTS.filter(([time]) => start <= time && time < end);
    const cut = cuts.shift();
    const sent = rows.slice(0, cut);
    for (let i = 0; i < sent.length; i += 2) await call.send(raw(sent.slice(i, i + 2), 11n, minor));
    if (cut === undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
    throw gone();
  };
}

Deno.test("a broken read goes on at the pinned version, equal times seen once each", async () => {
  for (const build of ["4.15.9-deno", "4.15.9"]) {
    for (let first = 0; first < POINTS.length; first++) {
      const asked: { start: bigint; version: bigint }[] = [];
      const script = v4Server(build, { RawValues: broken([first, 1, 3], asked) });
      await withScript(script, async (endpoint) => {
        const request = { uuid, start: 0n, end: 100n, version: build === "4.15.9" ? 11n : 0n };
        assertEquals(await readAll(endpoint, request), POINTS, `${build}, after ${first}`);
        assertEquals(asked.length, 4);
        if (first > 0) assertEquals(asked[1]!.version, 11n);
      });
    }
  }
});

Deno.test("a read of unflushed points goes on only while the stream is the same", async () => {
  const asked: { start: bigint; version: bigint }[] = [];
  const same = v4Server("4.15.9-deno", { RawValues: broken([4], asked, 7n) });
  await withScript(same, async (endpoint) => {
    const request = { uuid, start: 0n, end: 100n, version: 0n };
    assertEquals(await readAll(endpoint, request), POINTS);
    assertEquals(asked.map((call) => call.version), [0n, 0n]);
  });
  let minor = 7n;
  const moved = v4Server("4.15.9-deno", { RawValues: (call) => broken([4], [], minor++)(call) });
  await withScript(moved, async (endpoint) => {
    const request = { uuid, start: 0n, end: 100n, version: 0n };
    const error = await assertRejects(() => readAll(endpoint, request), BTrDBError);
    assertEquals([error.status, error.retryable], ["ABORTED", true]);
  });
});

Deno.test("a broken read of unflushed points in order of arrival loses none, and sees none twice", async () => {
  // A real server: buffered points as they arrived, before the first stored one with a later time.
  const rows: [bigint, number][] = [
    [100n, 1],
    [200n, 2],
    [250n, 3],
    [50n, 4],
    [50n, 5],
    [300n, 6],
  ];
  const sorted = [...rows].sort(([a], [b]) => Number(a - b));
  for (let first = 1; first < rows.length; first++) {
    for (let second = 1; second < rows.length; second++) {
      const cuts = [first, second];
      const script = v4Server("4.15.9", {
        async RawValues(call) {
          const { start, end } = fromBinary(RawValuesParamsSchema, call.request);
          const cut = cuts.shift();
          for (const row of rows.filter(([time]) => start <= time && time < end).slice(0, cut)) {
            await call.send(raw([row], 11n, 3n));
          }
          if (cut === undefined) return;
          await new Promise((resolve) => setTimeout(resolve, 2));
          throw gone();
        },
      });
      await withScript(script, async (endpoint) => {
        const request = { uuid, start: 0n, end: 1000n, version: 0n };
        assertEquals(await readAll(endpoint, request), sorted);
      });
    }
  }
});

Deno.test("changed ranges that come late are seen, once each, also when the answer breaks", async () => {
  // A server's walk: (10, 20) was held back while those behind it were sent.
  const messages: [bigint, bigint][][] = [[[0n, 5n], [30n, 40n], [50n, 60n]], [[10n, 20n]], [
    [22n, 25n],
    [70n, 80n],
  ]];
  const wanted = messages.flat().map(([start]) => start);
  for (const cuts of [[], [1], [2], [1, 2], [2, 1], [1, 1, 2]]) {
    const script = v4Server("4.15.9", {
      async Changes(call) {
        const cut = cuts.shift();
        for (const message of messages.slice(0, cut)) {
          const ranges = message.map(([start, end]) => ({ start, end }));
          await call.send(bytes(ChangesResponseSchema, { versionMajor: 15n, ranges }));
        }
        if (cut === undefined) return;
        await new Promise((resolve) => setTimeout(resolve, 2));
        throw gone();
      },
    });
    await withScript(script, async (endpoint) => {
      const starts: bigint[] = [];
      for await (const chunk of endpoint.changes({ uuid, from: 11n, to: 15n, resolution: 0 })) {
        starts.push(...chunk.starts);
      }
      assertEquals(starts, wanted);
    });
  }
});

Deno.test("each changed range comes once, also between the latest version and its number", async () => {
  // Up to the latest version a server joins more ranges, so that counting them would not do: every
  // range of the broken answer came again.
  const latest: [bigint, bigint][] = [[0n, 20n], [30n, 40n], [50n, 60n]];
  const numbered: [bigint, bigint][] = [[10n, 20n], [0n, 10n], [30n, 40n], [50n, 60n]];
  const asked: bigint[] = [];
  const script = v4Server("4.15.9-deno", {
    async Changes(call) {
      const { toMajor } = fromBinary(ChangesParamsSchema, call.request);
      asked.push(toMajor);
      const first = toMajor === 0n;
      for (const [start, end] of first ? latest.slice(0, 2) : numbered) {
        const part = { versionMajor: 15n, ranges: [{ start, end }] };
        await call.send(bytes(ChangesResponseSchema, part));
      }
      if (!first) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
      throw gone();
    },
  });
  await withScript(script, async (endpoint) => {
    const found: bigint[][] = [];
    for await (const chunk of endpoint.changes({ uuid, from: 11n, to: 0n, resolution: 0 })) {
      chunk.starts.forEach((start, i) => found.push([start, chunk.ends[i]!]));
    }
    assertEquals(asked, [0n, 15n]);
    assertEquals(found, latest);
  });
});

Deno.test("broken windows go on with the next one", async () => {
  const starts: bigint[] = [];
  const script = v4Server("4.15.9-deno", {
    async Windows(call) {
      const { start, end, width } = fromBinary(WindowsParamsSchema, call.request);
      starts.push(start);
      const n = Number((end - start) / width);
      const rows = Array.from(
        { length: n },
        (_, i): [bigint, bigint] => [start + BigInt(i) * width, 1n],
      );
      await call.send(windows(rows.slice(0, 2)));
      if (n <= 2) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
      throw gone();
    },
    async AlignedWindows(call) {
      const { start, end } = fromBinary(AlignedWindowsParamsSchema, call.request);
      await call.send(windows([[start, 1n]]));
      if (end - start <= 1024n) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
      throw gone();
    },
  });
  await withScript(script, async (endpoint) => {
    const times: bigint[] = [];
    const request = { uuid, start: 3n, end: 58n, version: 0n, width: 10n, depth: 0 };
    for await (const chunk of endpoint.windows(request)) times.push(...chunk.columns.times);
    assertEquals(times, [3n, 13n, 23n, 33n, 43n]);
    assertEquals(starts, [3n, 23n, 43n]);
    const aligned: bigint[] = [];
    const wide = { uuid, start: 5n, end: 4096n, version: 0n, pointwidth: 10 };
    for await (const chunk of endpoint.alignedWindows(wide)) aligned.push(...chunk.columns.times);
    assertEquals(aligned, [0n, 1024n, 2048n, 3072n]);
  });
});

Deno.test("an answer without any message is a broken one", async () => {
  let calls = 0;
  const script = v4Server("4.15.9-deno", {
    RawValues: (call) => ++calls === 1 ? undefined : call.send(raw(POINTS)),
  });
  await withScript(script, async (endpoint) => {
    assertEquals(await readAll(endpoint, { uuid, start: 0n, end: 100n, version: 0n }), POINTS);
  });
});

/** A server with a store, whose writes fail as `fate` says. */
async function withStore(
  fate: (rpc: string) => "lose the call" | "lose the answer" | "answer",
  body: (endpoint: Endpoint, store: Endpoint, server: ScriptedServer) => Promise<void>,
): Promise<void> {
  const store = await openEngine();
  const service = new LocalService(store);
  const script: Script = async (call) => {
    const what = call.rpc === "Info" ? "answer" : fate(call.rpc);
    if (what === "lose the call") throw gone();
    const { code, details, messages } = await service.call(call.path, call.request);
    if (what === "lose the answer") throw gone();
    for (const message of messages) await call.send(message);
    if (code !== 0) throw status(code, details);
  };
  try {
    const tags = new Map([["name", "x"]]);
    await store.create({ uuid, collection: "c", tags, annotations: new Map() });
    await withScript(script, (endpoint, server) => body(endpoint, store, server));
  } finally {
    await service.close();
  }
}

function columns(pairs: [bigint, number][]): RawColumns {
  return {
    times: BigInt64Array.from(pairs, ([time]) => time),
    values: Float64Array.from(pairs, ([, value]) => value),
  };
}

const ALL = { uuid, start: 0n, end: 1000n, version: 0n };

for (const lost of ["lose the call", "lose the answer"] as const) {
  Deno.test(`an insert is stored once: ${lost}`, async () => {
    let left = 2;
    const fate = (rpc: string) => rpc === "Insert" && left-- > 0 ? lost : "answer";
    await withStore(fate, async (endpoint, store) => {
      // Points that are there before look like ones that were stored.
      await store.insert({ uuid, columns: columns([[1n, 1], [2n, 2]]) });
      const version = await endpoint.insert({ uuid, columns: columns([[1n, 1], [2n, 2]]) });
      assertEquals(version, { major: 10n, minor: 4n });
      const stored = await readAll(store, ALL);
      assertEquals(stored, [[1n, 1], [1n, 1], [2n, 2], [2n, 2]]);
    });
  });

  Deno.test(`inserts at once are stored once each: ${lost}`, async () => {
    let n = 0;
    const fate = (rpc: string) => rpc === "Insert" && ++n % 3 === 0 ? lost : "answer";
    await withStore(fate, async (endpoint, store) => {
      const insert = (i: number) => endpoint.insert({ uuid, columns: columns([[BigInt(i), i]]) });
      await Promise.all(Array.from({ length: 12 }, (_, i) => insert(i)));
      assertEquals((await readAll(store, ALL)).length, 12);
    });
  });

  Deno.test(`a delete takes place once: ${lost}`, async () => {
    let left = 1;
    const fate = (rpc: string) => rpc === "Delete" && left-- > 0 ? lost : "answer";
    await withStore(fate, async (endpoint, store) => {
      await store.insert({ uuid, columns: columns([[1n, 1], [20n, 2]]) });
      const version = await endpoint.deleteRange({ uuid, start: 0n, end: 10n });
      assertEquals(
        version,
        (await store.streamInfo({
          uuid,
          omitVersion: false,
          omitDescriptor: true,
        })).version,
      );
      assertEquals(await readAll(store, ALL), [[20n, 2]]);
    });
  });

  Deno.test(`metadata changes once: ${lost}`, async () => {
    const left = new Set(["Create", "SetStreamAnnotations", "Obliterate"]);
    const fate = (rpc: string) => left.delete(rpc) ? lost : "answer";
    await withStore(fate, async (endpoint, store) => {
      const other = new Uint8Array(16).fill(7);
      const tags = new Map([["name", "y"]]);
      await endpoint.create({ uuid: other, collection: "c", tags, annotations: new Map() });
      const changes = new Map([["unit", "V"]]);
      await endpoint.setAnnotations({ uuid: other, expected: 1n, changes, removals: [] });
      const look = { uuid: other, omitVersion: true, omitDescriptor: false };
      const { descriptor } = await store.streamInfo(look);
      assertEquals([descriptor!.propertyVersion, descriptor!.annotations.get("unit")], [2n, "V"]);
      await endpoint.obliterate(other);
      await assertRejects(() => store.streamInfo(look), BTrDBError, "does not exist");
    });
  });
}

Deno.test("an insert that cannot be settled says so and names the range", async () => {
  let lose = false;
  const fate = (rpc: string) => lose && rpc !== "Create" ? "lose the call" : "answer";
  await withStore(fate, async (endpoint) => {
    await endpoint.insert({ uuid, columns: columns([[1n, 1]]) });
    lose = true;
    const call = () => endpoint.insert({ uuid, columns: columns([[5n, 1], [3n, 2]]) });
    const error = await assertRejects(call, BTrDBError);
    assertEquals(
      error.message.replace(/:[^:]*$/, ""),
      "Cannot tell whether 2 points from 1970-01-01T00:00:00.000000003Z to " +
        "1970-01-01T00:00:00.000000005Z were stored",
    );
    assertEquals([error.status, error.retryable], ["UNKNOWN", false]);
    lose = false;
    assertEquals((await endpoint.insert({ uuid, columns: columns([[9n, 1]]) })).minor, 2n);
  });
});

Deno.test("somebody else's points do not count as ours", async () => {
  let store: Endpoint | undefined;
  let first = true;
  const fate = (rpc: string) => {
    if (rpc !== "Insert" || !first) return "answer";
    first = false;
    void store!.insert({ uuid, columns: columns([[70n, 1], [80n, 1]]) });
    return "lose the call";
  };
  await withStore(fate, async (endpoint, inner) => {
    store = inner;
    await endpoint.insert({ uuid, columns: columns([[1n, 1], [2n, 1]]) });
    assertEquals((await readAll(inner, ALL)).map(([time]) => time), [1n, 2n, 70n, 80n]);
  });
});

Deno.test("as many points of somebody else are not taken for ours, though ours look stored", async () => {
  let store: Endpoint | undefined;
  let first = true;
  const fate = (rpc: string) => {
    if (rpc !== "Insert" || !first) return "answer";
    first = false;
    void store!.insert({ uuid, columns: columns([[70n, 1], [80n, 1]]) });
    return "lose the call";
  };
  await withStore(fate, async (endpoint, inner) => {
    store = inner;
    // Inserted before, so that a look finds them; and the other's are two as well.
    const ours = columns([[1n, 1], [2n, 1]]);
    await inner.insert({ uuid, columns: ours });
    await inner.flush(uuid);
    const insert = endpoint.insert({ uuid, columns: ours });
    await insert.catch((error) => assertEquals(error.status, "UNKNOWN"));
    const times = (await readAll(inner, ALL)).map(([time]) => time);
    const stored = await insert.then(() => true, () => false);
    assertEquals(times, stored ? [1n, 1n, 2n, 2n, 70n, 80n] : [1n, 2n, 70n, 80n]);
  });
});

Deno.test("a commit in the middle does not make an insert look lost, nor another one stored", async () => {
  let store: Endpoint | undefined;
  let left = 4;
  // Lost in turn: the call, the answer; and each time everything buffered is committed meanwhile.
  const fate = (rpc: string) => {
    if (rpc !== "Insert" || left === 0) return "answer";
    setTimeout(() => store!.flush(uuid));
    return left-- % 2 === 0 ? "lose the call" : "lose the answer";
  };
  await withStore(fate, async (endpoint, inner) => {
    store = inner;
    // 30,000 of the 32,768 points that are committed by themselves.
    const many = Array.from({ length: 30_000 }, (_, i): [bigint, number] => [BigInt(i), i]);
    for (let from = 0; from < many.length; from += 10_000) {
      await inner.insert({ uuid, columns: columns(many.slice(from, from + 10_000)) });
    }
    for (const part of [0, 1, 2]) {
      await endpoint.insert({
        uuid,
        columns: columns(many.slice(part * 2_000, part * 2_000 + 2_000)),
      });
    }
    const whole = { uuid, start: 0n, end: 40_000n, version: 0n };
    assertEquals((await readAll(inner, whole)).length, 36_000);
  });
});

for (const code of [428, 432]) {
  Deno.test(`metadata whose change was answered ${code} is looked at before it is changed again`, async () => {
    const store = await openEngine();
    const service = new LocalService(store);
    const failing = new Set(["Create", "SetStreamAnnotations", "Obliterate"]);
    const script: Script = async (call) => {
      const { code: status, details, messages } = await service.call(call.path, call.request);
      if (failing.delete(call.rpc)) return await call.send(failure(code, "in the middle"));
      for (const message of messages) await call.send(message);
      if (status !== 0) throw { code: status, details };
    };
    try {
      await withScript(script, async (endpoint, server) => {
        const none = new Map<string, string>();
        const tags = new Map([["name", "y"]]);
        await endpoint.create({ uuid, collection: "c", tags, annotations: none });
        const changes = new Map([["unit", "V"]]);
        await endpoint.setAnnotations({ uuid, expected: 1n, changes, removals: [] });
        await endpoint.obliterate(uuid);
        const counts = ["Create", "SetStreamAnnotations", "Obliterate"].map((rpc) =>
          server.count(rpc)
        );
        assertEquals(counts, [1, 1, 1]);
      });
    } finally {
      await service.close();
    }
  });
}
