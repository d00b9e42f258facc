/** Writes whose answer was lost. */

import { assertEquals, assertRejects } from "@std/assert";
import type { RawColumns } from "../../../src/core/columns.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import { LocalService } from "../../support/grpc/local_service.ts";
import { failure } from "../../support/grpc/scripted_answers.ts";
import { readAll, withScript } from "../../support/grpc/scripted_client.ts";
import { type Script, type ScriptedServer, status } from "../../support/grpc/scripted_server.ts";

const uuid = new Uint8Array(16).fill(6);
const gone = () => status(14, "gone");

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
  Deno.test(`WriteLedger: an insert is stored once: ${lost}`, async () => {
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

  Deno.test(`WriteLedger: inserts at once are stored once each: ${lost}`, async () => {
    let n = 0;
    const fate = (rpc: string) => rpc === "Insert" && ++n % 3 === 0 ? lost : "answer";
    await withStore(fate, async (endpoint, store) => {
      const insert = (i: number) => endpoint.insert({ uuid, columns: columns([[BigInt(i), i]]) });
      await Promise.all(Array.from({ length: 12 }, (_, i) => insert(i)));
      assertEquals((await readAll(store, ALL)).length, 12);
    });
  });

  Deno.test(`WriteLedger: a delete takes place once: ${lost}`, async () => {
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

  Deno.test(`setAnnotations: metadata changes once: ${lost}`, async () => {
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

Deno.test("WriteLedger: an insert that cannot be settled says so and names the range", async () => {
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

/** A store whose first insert is lost, while somebody else inserts two points. */
async function withOthers(
  body: (endpoint: Endpoint, store: Endpoint) => Promise<void>,
): Promise<void> {
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
    await body(endpoint, inner);
  });
}

Deno.test("WriteLedger: another client's points do not count as ours", async () => {
  await withOthers(async (endpoint, inner) => {
    await endpoint.insert({ uuid, columns: columns([[1n, 1], [2n, 1]]) });
    assertEquals((await readAll(inner, ALL)).map(([time]) => time), [1n, 2n, 70n, 80n]);
  });
});

Deno.test("WriteLedger: as many points of another client are not taken for ours, though ours look stored", async () => {
  await withOthers(async (endpoint, inner) => {
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

Deno.test("WriteLedger: a commit in the middle does not make an insert look lost, nor another one stored", async () => {
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
  Deno.test(`setAnnotations: metadata whose change was answered ${code} is looked at before it is changed again`, async () => {
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

/**
 * A server with a store, to which the first call of each change comes late: after two looks have not found
 * it, and just before the second one.
 */
async function withLateCalls(
  meanwhile: (store: Endpoint, rpc: string) => Promise<void>,
  body: (endpoint: Endpoint, store: Endpoint) => Promise<void>,
): Promise<void> {
  const store = await openEngine();
  const service = new LocalService(store);
  const late = new Map<string, { path: string; request: Uint8Array } | "arrived">();
  const script: Script = async (call) => {
    const { path, rpc } = call;
    if (["Create", "SetStreamAnnotations", "SetStreamTags", "Obliterate"].includes(rpc)) {
      const first = late.get(rpc);
      if (first === undefined) {
        late.set(rpc, { path, request: call.request.slice() });
        throw gone();
      }
      if (first !== "arrived") {
        late.set(rpc, "arrived");
        await service.call(first.path, first.request);
        await meanwhile(store, rpc);
      }
    }
    const { code, details, messages } = await service.call(path, call.request);
    for (const message of messages) await call.send(message);
    if (code !== 0) throw status(code, details);
  };
  try {
    await withScript(script, (endpoint) => body(endpoint, store));
  } finally {
    await service.close();
  }
}

const NONE = new Map<string, string>();

// The second call was refused because of the first, and its error said that nothing had been changed.
Deno.test("setAnnotations: metadata whose lost change arrives late is changed, and said to be", async () => {
  await withLateCalls(async () => {}, async (endpoint, store) => {
    const tags = new Map([["name", "y"]]);
    await endpoint.create({ uuid, collection: "c", tags, annotations: NONE });
    const changes = new Map([["unit", "V"]]);
    await endpoint.setAnnotations({ uuid, expected: 1n, changes, removals: [] });
    const named = { changes: new Map([["name", "z"]]), removals: [], collection: "" };
    await endpoint.setTags({ uuid, expected: 2n, ...named });
    const look = { uuid, omitVersion: true, omitDescriptor: false };
    const { descriptor } = await store.streamInfo(look);
    assertEquals(
      [
        descriptor!.propertyVersion,
        descriptor!.annotations.get("unit"),
        descriptor!.tags.get("name"),
      ],
      [3n, "V", "z"],
    );
    await endpoint.obliterate(uuid);
    await assertRejects(() => store.streamInfo(look), BTrDBError, "does not exist");
  });
});

Deno.test("setAnnotations: a lost change is not said to be refused once others have written over it", async () => {
  const others = async (store: Endpoint, rpc: string) => {
    if (rpc !== "SetStreamAnnotations") return;
    const changes = new Map([["unit", "A"]]);
    await store.setAnnotations({ uuid, expected: 2n, changes, removals: [] });
  };
  await withLateCalls(others, async (endpoint) => {
    const tags = new Map([["name", "y"]]);
    await endpoint.create({ uuid, collection: "c", tags, annotations: NONE });
    const changes = new Map([["unit", "V"]]);
    const call = () => endpoint.setAnnotations({ uuid, expected: 1n, changes, removals: [] });
    const error = await assertRejects(call, BTrDBError, "Cannot tell whether SetStreamAnnotations");
    assertEquals([error.code, error.status, error.retryable], [0, "UNKNOWN", false]);
  });
});

Deno.test("setAnnotations: a lost change that did not take place is refused as others' are", async () => {
  let lose = true;
  const fate = (rpc: string) => {
    if (rpc !== "SetStreamAnnotations" || !lose) return "answer";
    lose = false;
    return "lose the call";
  };
  await withStore(fate, async (endpoint, inner) => {
    await inner.setAnnotations({ uuid, expected: 1n, changes: NONE, removals: [] });
    const changes = new Map([["unit", "V"]]);
    const call = () => endpoint.setAnnotations({ uuid, expected: 7n, changes, removals: [] });
    assertEquals((await assertRejects(call, BTrDBError)).code, 423);
  });
});

Deno.test("setAnnotations: a lost change that cannot be looked for is not said to have failed", async () => {
  let lost = false;
  const script = (call: Parameters<Script>[0], service: LocalService) => {
    if (call.rpc === "SetStreamAnnotations") {
      lost = true;
      throw gone();
    }
    if (lost) throw status(7, "this key may not read");
    return service.call(call.path, call.request);
  };
  const service = new LocalService(await openEngine());
  try {
    await withScript(async (call) => {
      for (const message of (await script(call, service)).messages) await call.send(message);
    }, async (endpoint) => {
      const changes = new Map([["unit", "V"]]);
      const call = () => endpoint.setAnnotations({ uuid, expected: 1n, changes, removals: [] });
      const error = await assertRejects(call, BTrDBError);
      assertEquals(
        [error.status, error.message],
        [
          "UNKNOWN",
          "Cannot tell whether SetStreamAnnotations took place: the answer was lost, and the stream " +
          "could not be looked at afterwards",
        ],
      );
    });
  } finally {
    await service.close();
  }
});

/** Ends of calls that say nothing of what the server did. */
const UNCLEAR: [name: string, end: (call: Parameters<Script>[0]) => Promise<void> | void][] = [
  ["UNKNOWN", () => {
    throw status(2, "it answered with HTTP status 500");
  }],
  ["INTERNAL", () => {
    throw status(13, "the proxy broke");
  }],
  ["DATA_LOSS", (call) => call.send(Uint8Array.of(255))],
];

// Answers of a proxy that were none of gRPC, with HTTP status 200 or 500, came after the points had been
// stored. The error said that the insert had failed; who made it again had them twice.
for (const [name, end] of UNCLEAR) {
  for (const isStored of [true, false]) {
    Deno.test(`insert, create: after ${name} of a write that was ${isStored ? "" : "not "}made, it is looked for`, async () => {
      const store = await openEngine();
      const service = new LocalService(store);
      const failing = new Set(["Create", "Insert", "Delete"]);
      const script: Script = async (call) => {
        const isFailing = failing.delete(call.rpc);
        if (isFailing && !isStored) return await end(call);
        const { code, details, messages } = await service.call(call.path, call.request);
        if (isFailing) return await end(call);
        for (const message of messages) await call.send(message);
        if (code !== 0) throw status(code, details);
      };
      const tags = new Map([["name", "x"]]);
      const stream = { uuid, collection: "c", tags, annotations: new Map<string, string>() };
      try {
        await withScript(script, async (endpoint, server) => {
          const writes: [() => Promise<unknown>, made: () => Promise<unknown>][] = [
            [() => endpoint.create(stream), () => store.create(stream)],
            [
              () => endpoint.insert({ uuid, columns: columns([[1n, 1], [2n, 2]]) }),
              () => store.insert({ uuid, columns: columns([[1n, 1], [2n, 2]]) }),
            ],
            [
              () => endpoint.deleteRange({ uuid, start: 0n, end: 2n }),
              () => store.deleteRange({ uuid, start: 0n, end: 2n }),
            ],
          ];
          for (const [write, made] of writes) {
            if (isStored) await write();
            else {
              const error = await assertRejects(write, BTrDBError);
              assertEquals([error.code, error.status], [0, name]);
              await made();
            }
          }
          assertEquals(await readAll(store, ALL), [[2n, 2]]);
          const counts = ["Create", "Insert", "Delete"].map((rpc) => server.count(rpc));
          assertEquals(counts, [1, 1, 1]);
        });
      } finally {
        await service.close();
      }
    });
  }
}

/** Texts of the gRPC library for calls that no server has seen; some servers use the library too. */
const UNSENT = [
  status(14, "Stream refused by server"),
  status(13, "Failed to start HTTP/2 stream with error The session is closed"),
];

// A proxy whose second try was refused said so in these words, after its first one had been stored: the
// call passed for one that was never sent, and its points were there twice.
for (const end of UNSENT) {
  Deno.test(`insert: after "${end.details}" of a server it is looked for`, async () => {
    const store = await openEngine();
    const service = new LocalService(store);
    let left = 1;
    const script: Script = async (call) => {
      const { code, details, messages } = await service.call(call.path, call.request);
      if (call.rpc === "Insert" && left-- > 0) throw end;
      for (const message of messages) await call.send(message);
      if (code !== 0) throw status(code, details);
    };
    try {
      await store.create({ uuid, collection: "c", tags: new Map(), annotations: new Map() });
      await withScript(script, async (endpoint) => {
        await endpoint.insert({ uuid, columns: columns([[1n, 1], [2n, 2]]) });
        assertEquals(await readAll(store, ALL), [[1n, 1], [2n, 2]]);
      });
    } finally {
      await service.close();
    }
  });
}

// The deadline passed while it was looked for, and the status was UNKNOWN, not that of a deadline.
Deno.test("insert: a deadline that passes while the insert is looked for is DEADLINE_EXCEEDED", async () => {
  const store = await openEngine();
  const service = new LocalService(store);
  const released = Promise.withResolvers<void>();
  let isLost = false;
  const script: Script = async (call) => {
    if (isLost) await released.promise;
    const { messages } = await service.call(call.path, call.request);
    isLost ||= call.rpc === "Insert";
    if (call.rpc === "Insert") throw gone();
    for (const message of messages) await call.send(message);
  };
  const tags = new Map([["name", "x"]]);
  await store.create({ uuid, collection: "c", tags, annotations: new Map() });
  try {
    await withScript(script, async (endpoint) => {
      const request = { uuid, columns: columns([[1n, 1]]) };
      const insert = endpoint.insert(request, { deadlineMs: Date.now() + 300 });
      const error = await assertRejects(() => insert, BTrDBError);
      released.resolve();
      assertEquals(error.status, "DEADLINE_EXCEEDED");
    });
  } finally {
    await service.close();
  }
});
