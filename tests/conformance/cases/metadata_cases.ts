import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ErrorCode } from "@btrdb/btrdb";
import { type Case, rejectsWith } from "../support.ts";

export const METADATA_CASES: Case[] = [
  {
    name: "create: the stream knows what it was made with, and so does the database",
    async run(t) {
      const uuid = crypto.randomUUID().toUpperCase();
      const options = {
        tags: { name: "L1", unit: "volts" },
        annotations: { note: "é\0", empty: "" },
      };
      const made = await t.db.create(uuid, t.collection, options);
      assertEquals(made.uuid, uuid.toLowerCase());
      const found = t.db.streamFromUUID(uuid);
      for (const stream of [made, found]) {
        assertEquals(await stream.exists(), true);
        assertEquals(await stream.collection(), t.collection);
        assertEquals(await stream.tags(), options.tags);
        assertEquals(await stream.annotations(), [options.annotations, 1n]);
      }
    },
  },
  {
    name: "create: a byte order mark is a character like any other",
    async run(t) {
      const collection = `\ufeff${t.collection}`;
      const options = { tags: { name: "\ufeffn" }, annotations: { note: "\ufeff" } };
      const { uuid } = await t.db.create(crypto.randomUUID(), collection, options);
      const listed = await Array.fromAsync(t.db.listCollections(collection));
      assertEquals(listed, [collection]);
      const found = await Array.fromAsync(t.db.lookupStreams(collection, { tags: options.tags }));
      assertEquals(found.map((stream) => stream.uuid), [uuid]);
      assertEquals(await found[0]!.tags(), options.tags);
      assertEquals(await found[0]!.annotations(), [options.annotations, 1n]);
    },
  },
  {
    name: "create: what exists, and what may not exist",
    async run(t) {
      const uuid = crypto.randomUUID();
      await t.db.create(uuid, t.collection, { tags: { name: "a" } });
      const make = (id: string, name: string) => () =>
        t.db.create(id, t.collection, { tags: { name } });
      await rejectsWith(406, make(crypto.randomUUID(), "a"), "identical tags");
      await rejectsWith(429, make(uuid, "b"), "a different collection or tags");
      const fresh = crypto.randomUUID();
      await rejectsWith(407, () => t.db.create(fresh, ""));
      await rejectsWith(407, () => t.db.create(fresh, "x".repeat(256)));
      await rejectsWith(408, () => t.db.create(fresh, t.collection, { tags: { Name: "a" } }));
      await rejectsWith(409, () => t.db.create(fresh, t.collection, { tags: { name: "" } }));
      await rejectsWith(
        409,
        () => t.db.create(fresh, t.collection, { annotations: { a: "x".repeat(256) } }),
      );
      assertEquals(await t.db.streamFromUUID(fresh).exists(), false);
    },
  },
  {
    name: "annotations: set, remove, keep; the version counts",
    async run(t) {
      const stream = await t.stream([], { annotations: { keep: "1", drop: "2" } });
      assertEquals(await stream.setAnnotations({ drop: null, add: "3", missing: null }), 2n);
      assertEquals(await stream.annotations(), [{ add: "3", keep: "1" }, 2n]);
      assertEquals(await stream.setAnnotations({}, { expected: 2n }), 3n);
      const error = await rejectsWith(423, () => stream.setAnnotations({}, { expected: 2n }));
      assertEquals(error.code, ErrorCode.AnnotationVersionMismatch);
      await rejectsWith(408, () => stream.setAnnotations({ BAD: "x" }));
      await rejectsWith(409, () => stream.setAnnotations({ ok: "x".repeat(256) }));
      assertEquals((await stream.annotations())[1], 3n);
    },
  },
  {
    name: "annotations: the cached ones stay until they are read again",
    async run(t) {
      const stream = await t.stream([], { annotations: { a: "1" } });
      const other = t.db.streamFromUUID(stream.uuid);
      assertEquals(await other.cachedAnnotations(), [{ a: "1" }, 1n]);
      await stream.setAnnotations({ a: "2" });
      assertEquals(await other.cachedAnnotations(), [{ a: "1" }, 1n]);
      await other.refreshMeta();
      assertEquals(await other.cachedAnnotations(), [{ a: "2" }, 2n]);
      assertEquals(await stream.cachedAnnotations(), [{ a: "2" }, 2n]);
    },
  },
  {
    name: "annotations: whoever is overtaken reads again, and nothing is lost",
    async run(t) {
      const stream = await t.stream();
      const keys = ["a", "b", "c", "d", "e"];
      const versions = await Promise.all(
        keys.map((key) => t.db.streamFromUUID(stream.uuid).setAnnotations({ [key]: key })),
      );
      assertEquals(versions.sort(), [2n, 3n, 4n, 5n, 6n]);
      assertEquals(Object.keys((await stream.annotations())[0]), keys);
    },
  },
  {
    name: "tags: change where the protocol knows how, else 501",
    async run(t) {
      const stream = await t.stream([], { tags: { unit: "volts", phase: "A" } });
      const change = () => stream.setTags({ tags: { unit: "amps", phase: null } });
      if (t.features === "v4") return void await rejectsWith(501, change);
      assertEquals(await change(), 2n);
      assertEquals(await stream.tags(), { name: stream.uuid, unit: "amps" });
      await stream.setTags({ collection: `${t.collection}/moved` }, { expected: 2n });
      assertEquals(await stream.collection(), `${t.collection}/moved`);
      assertEquals(await stream.tags(), { name: stream.uuid, unit: "amps" });
      await rejectsWith(423, () => stream.setTags({ tags: { a: "b" } }, { expected: 2n }));
    },
  },
  {
    name: "lookup: exact, by prefix, by tags and annotations, by any value",
    async run(t) {
      const { db, collection } = t;
      const make = async (where: string, tags: Record<string, string>, note?: string) =>
        (await db.create(crypto.randomUUID(), where, {
          tags,
          annotations: note === undefined ? {} : { note },
        })).uuid;
      const a = await make(collection, { name: "a", unit: "volts" }, "x");
      const b = await make(collection, { name: "b" }, "");
      const c = await make(`${collection}/sub`, { name: "a" });
      const d = await make(`${collection}x`, { name: "d" });
      const find = async (where: string, options = {}) =>
        (await Array.fromAsync(db.lookupStreams(where, options))).map(({ uuid }) => uuid).sort();
      const prefix = { isCollectionPrefix: true };
      assertEquals(await find(collection), [a, b].sort());
      assertEquals(await find(collection, prefix), [a, b, c, d].sort());
      assertEquals(await find(`${collection}/`, prefix), [a, b, c].sort());
      assertEquals(await find(`${collection}/s`, prefix), [c]);
      assertEquals(await find(collection, { ...prefix, tags: { name: "a" } }), [a, c].sort());
      assertEquals(await find(collection, { ...prefix, tags: { unit: null } }), [a]);
      assertEquals(await find(collection, { tags: { name: "a", unit: "amps" } }), []);
      assertEquals(await find(collection, { annotations: { note: null } }), [a, b].sort());
      assertEquals(await find(collection, { annotations: { note: "" } }), [b]);
      assertEquals(await find(`${collection}/nowhere`), []);
      await rejectsWith(408, () => find(collection, { tags: { "a-b": "x" } }));
      await rejectsWith(409, () => find(collection, { tags: { name: "" } }));
      await rejectsWith(407, () => find("x".repeat(256)));
    },
  },
  {
    name: "lookup: streams that are found know their metadata",
    async run(t) {
      const made = await t.stream([], { tags: { unit: "volts" }, annotations: { a: "b" } });
      for await (const stream of t.db.lookupStreams(t.collection)) {
        assertEquals(stream.uuid, made.uuid);
        assertEquals(await stream.tags(), { name: made.uuid, unit: "volts" });
        assertEquals(await stream.cachedAnnotations(), [{ a: "b" }, 1n]);
      }
    },
  },
  {
    name: "collections: all of them, each once, in order",
    async run(t) {
      const names = ["", "-b", "/a", "/a/b", "/z", "0"].map((end) => t.collection + end);
      for (const name of names) {
        await t.db.create(crypto.randomUUID(), name, { tags: { name: "1" } });
        await t.db.create(crypto.randomUUID(), name, { tags: { name: "2" } });
      }
      const listed = await Array.fromAsync(t.db.listCollections(t.collection));
      const encode = (name: string) => `${name}/`;
      assertEquals(listed, names.toSorted((a, b) => encode(a) < encode(b) ? -1 : 1));
      assertEquals(
        await Array.fromAsync(t.db.listCollections(`${t.collection}/a`)),
        [`${t.collection}/a`, `${t.collection}/a/b`],
      );
      assertEquals(await Array.fromAsync(t.db.listCollections(`${t.collection}/none`)), []);
      assertEquals((await Array.fromAsync(t.db.listCollections())).includes(t.collection), true);
    },
  },
  {
    name: "metadata usage: how many streams have each key",
    async run(t) {
      await t.stream([], { tags: { unit: "volts" }, annotations: { note: "x" } });
      await t.stream([], { annotations: { note: "y", other: "" } });
      assertEquals(await t.db.getMetadataUsage(t.collection), {
        tags: { name: 2n, unit: 1n },
        annotations: { note: 2n, other: 1n },
      });
      assertEquals(await t.db.getMetadataUsage(`${t.collection}/none`), {
        tags: {},
        annotations: {},
      });
    },
  },
  {
    name: "obliterate: gone for ever",
    async run(t) {
      const stream = await t.stream([[1n, 1]]);
      await stream.obliterate();
      assertEquals(await stream.exists(), false);
      await rejectsWith(404, () => stream.count());
      await rejectsWith(404, () => stream.insert([[1n, 1]]));
      await rejectsWith(404, () => stream.obliterate());
      assertEquals(await Array.fromAsync(t.db.lookupStreams(t.collection)), []);
      assertEquals(await Array.fromAsync(t.db.listCollections(t.collection)), []);
      await rejectsWith(
        429,
        () => t.db.create(stream.uuid, t.collection),
        "has been used before with a (now deleted) stream",
      );
    },
  },
  {
    name: "a stream that does not exist: 404 from every operation",
    async run(t) {
      const stream = t.db.streamFromUUID(crypto.randomUUID());
      assertEquals(await stream.exists(), false);
      const calls: (() => Promise<unknown>)[] = [
        () => stream.collection(),
        () => stream.tags(),
        () => stream.annotations(),
        () => stream.cachedAnnotations(),
        () => stream.refreshMeta(),
        () => stream.version(),
        () => stream.setAnnotations({ a: "b" }),
        () => stream.setAnnotations({ a: "b" }, { expected: 1n }),
        () => stream.insert([[1n, 1]]),
        () => stream.insert([]),
        () => stream.patch([[1n, 1]]),
        () => stream.deleteRange(0n, 1n),
        () => stream.flush(),
        () => stream.rawValues(0n, 1n).collect(),
        () => stream.alignedWindows(0n, 16n, 3).collect(),
        () => stream.windows(0n, 16n, 3n).collect(),
        () => stream.nearest(0n),
        () => stream.earliest(),
        () => stream.count(),
        () => Array.fromAsync(stream.changes(0n, 0n, 0)),
        () => stream.obliterate(),
      ];
      for (const call of calls) {
        const error = await rejectsWith(404, call);
        assertEquals(error.status, "NoSuchStream", call.toString());
      }
    },
  },
  {
    name: "sql: rows of the metadata, where the protocol knows how, else 501",
    async run(t) {
      const stream = await t.stream();
      const query = "SELECT collection, name FROM streams WHERE uuid = $1";
      const rows = () => Array.fromAsync(t.db.sql(query, [stream.uuid]));
      if (t.features === "v4") return void await rejectsWith(501, rows);
      assertEquals(await rows(), [{ collection: t.collection, name: stream.uuid }]);
      await rejectsWith(441, () => Array.fromAsync(t.db.sql("DROP TABLE streams")));
    },
  },
  {
    name: "info: what answers, and which protocol is spoken",
    async run(t) {
      const info = await t.db.info();
      assertEquals(info.protocol, t.protocol);
      assertEquals(typeof info.build, "string");
      assertEquals(info.majorVersion, t.protocol === "v5" ? 5 : info.majorVersion);
    },
  },
  {
    name: "arguments of the wrong type are refused before anything is sent",
    async run(t) {
      const stream = await t.stream();
      assertThrows(() => t.db.streamFromUUID("nope"), TypeError, '"nope" is not a uuid');
      assertThrows(() => t.db.streamFromUUID(new Uint8Array(3)), TypeError, "has 3 bytes");
      assertThrows(() => t.db.lookupStreams(5 as never), TypeError, "collection is 5");
      assertThrows(() => t.db.listCollections(null as never), TypeError, "prefix is null");
      assertThrows(() => t.db.sql(5 as never), TypeError, "query is 5");
      await assertRejects(
        () => t.db.create(stream.uuid, t.collection, { tags: { a: 5 as never } }),
        TypeError,
        "tags.a is 5, expected a string or null",
      );
      await assertRejects(
        () => stream.setAnnotations({ a: undefined as never }),
        TypeError,
        "changes.a is undefined",
      );
      await assertRejects(
        () => stream.version({ signal: 5 as never }),
        TypeError,
        "signal is not an AbortSignal",
      );
      await assertRejects(
        () => stream.version({ timeoutMs: 0 }),
        RangeError,
        "timeoutMs is 0, expected a number above 0",
      );
    },
  },
  {
    name: "ranges, widths and exponents out of range are refused at once",
    run(t) {
      const stream = t.db.streamFromUUID(crypto.randomUUID());
      const wrong: [() => unknown, string][] = [
        [() => stream.rawValues(1n, 1n), "start is 1 (1970-01-01T00:00:00.000000001Z), expected"],
        [() => stream.rawValues(-(1n << 61n), 0n), "expected MIN_TIME"],
        [() => stream.rawValues(0n, 1n << 62n), "expected MIN_TIME"],
        [() => stream.rawValues("yesterday", 0n), 'start: "yesterday" is not a time'],
        [() => stream.rawValues(0n, 1n, { version: -1n }), "version is -1"],
        [() => stream.alignedWindows(0n, 1n, 64), "pointwidth is 64, expected an integer from 0"],
        [() => stream.alignedWindows(0n, 1n, 1.5), "pointwidth is 1.5"],
        [() => stream.alignedWindows(0n, 100n, 7), "pointwidth is 7, expected one whose windows"],
        [() => stream.windows(0n, 10n, 0n), "width is 0, expected 1 to 2^63"],
        [() => stream.windows(0n, 10n, 11n), "width is 11, expected at most 10"],
        [() => stream.windows(0n, 10n, (1n << 63n) + 1n), "expected 1 to 2^63"],
        [() => stream.windows(0n, 10n, 0.5), "width is 0.5"],
        [() => stream.windows(0n, 10n, 1n, { depth: 64 }), "depth is 64"],
        [() => stream.windows(0n, 10n, 1n, { compute: "x" as never }), 'compute is "x"'],
        [() => stream.changes(0n, 0n, -1), "resolution is -1"],
      ];
      for (const [call, message] of wrong) assertThrows(call, RangeError, message);
      assertThrows(() => stream.rawValues(0n, 1n, { version: 1 as never }), TypeError, "a bigint");
      assertThrows(() => stream.rawValues(null as never, 1n), TypeError, "start: it is null");
      return Promise.resolve();
    },
  },
];
