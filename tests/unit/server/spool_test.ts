/** The spool of files made for HTTP, and what it promises about its bounds. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { RememberedReads } from "../../../src/server/http/data/remembered_reads.ts";
import type { DataAnswer } from "../../../src/server/http/data/data_answer.ts";
import { Spool, type SpoolMaker } from "../../../src/server/http/data/spool.ts";
import { until } from "../../support/until.ts";

const idle = new AbortController().signal;

/** A file of so many bytes. */
const of = (length: number): SpoolMaker => (write) => write(new Uint8Array(length).fill(length));

function withSpool(
  use: (spool: Spool) => Promise<void>,
  limits = { maxBytes: 1000, maxOwnerBytes: 600 },
): () => Promise<void> {
  return async () => {
    const spool = new Spool(limits);
    try {
      await use(spool);
    } finally {
      await spool.close();
      assertEquals(spool.bytes, 0);
    }
  };
}

/** Folders of spools that have a name. */
const named = () => readdirSync(tmpdir()).filter((name) => name.startsWith("btrdb-http-"));

Deno.test(
  "Spool: a file is made once, is read in parts, and has no name",
  withSpool(async (spool) => {
    const before = new Set(named());
    let made = 0;
    const make: SpoolMaker = async (write) => {
      made++;
      await write(Uint8Array.of(1, 2, 3));
      await write(Uint8Array.of(4, 5));
    };
    const files = await Promise.all([1, 2, 3].map(() => spool.file("a", "owner", make, idle)));
    assertEquals(made, 1);
    assertEquals(files.map((file) => file.byteLength), [5, 5, 5]);
    assertEquals(await files[0]!.read(1, 3), Uint8Array.of(2, 3, 4));
    assertEquals(await files[1]!.read(3, 100), Uint8Array.of(4, 5));
    // Those of other tests have one for a moment, and a program that is killed then leaves it.
    if (Deno.build.os !== "windows") {
      await until("no folder is left", () => named().every((name) => before.has(name)));
    }
    for (const file of files) await file.release();
    assert(spool.has("a"));
  }),
);

Deno.test(
  "Spool: the file read longest ago goes when room is needed, those that are read stay",
  withSpool(async (spool) => {
    const take = async (name: string, owner: string, bytes: number) => {
      const file = await spool.file(name, owner, of(bytes), idle);
      // Times of use are in ms.
      await new Promise((resolve) => setTimeout(resolve, 3));
      return file;
    };
    for (const name of ["a", "b", "c"]) await (await take(name, name, 300)).release();
    await (await take("a", "a", 300)).release();
    const c = await take("c", "c", 300);
    await (await take("d", "d", 300)).release();
    assertEquals(["a", "b", "c", "d"].map((name) => spool.has(name)), [true, false, true, true]);
    assertEquals(spool.bytes, 900);
    const others = await Promise.all([take("a", "a", 300), take("d", "d", 300)]);
    await assertRejects(() => spool.file("e", "e", of(300), idle), Error, "no room for files");
    assert(!spool.has("e"));
    for (const file of [c, ...others]) await file.release();
    await (await take("e", "e", 300)).release();
    assertEquals(await c.read(0, 0), new Uint8Array(0));
  }),
);

Deno.test(
  "Spool: one owner has a share, and a file larger than that is refused",
  withSpool(async (spool) => {
    const error = await assertRejects(() => spool.file("big", "a", of(601), idle), Error);
    assertEquals([(error as { status?: number }).status, spool.bytes], [413, 0]);
    await (await spool.file("other", "b", of(300), idle)).release();
    await (await spool.file("one", "a", of(400), idle)).release();
    await (await spool.file("two", "a", of(300), idle)).release();
    assertEquals(["other", "one", "two"].map((name) => spool.has(name)), [true, false, true]);
  }),
);

Deno.test(
  "Spool: if the request that a file is made for goes away, the next one makes it",
  withSpool(async (spool) => {
    let give: ((reason: Error) => void) | undefined;
    const first = spool.file(
      "a",
      "x",
      () => new Promise((_resolve, reject) => give = reject),
      idle,
    );
    await until("it is being made", () => spool.has("a") && give !== undefined);
    const second = spool.file("a", "y", of(7), idle);
    const impatient = new AbortController();
    const third = spool.file("a", "z", of(7), impatient.signal);
    impatient.abort(new Error("gone too"));
    await assertRejects(() => third, Error, "gone too");
    give!(new Error("gone"));
    await assertRejects(() => first, Error, "gone");
    const file = await second;
    assertEquals(file.byteLength, 7);
    await file.release();
  }),
);

// Of 4,096 answers each was kept, whatever number of streams it had: 95 of 2,000 streams took 100 MB,
// and those of 10,000 that one key can ask for would have taken 20 GB.
Deno.test("RememberedReads: an owner of answers of very many streams loses them, others keep theirs", () => {
  const reads = new RememberedReads(() => 0);
  const answerOf = (streams: number) =>
    ({ labels: new Array<string>(streams).fill("a") }) as unknown as DataAnswer;
  const small = answerOf(2);
  reads.remember("small", "me", small);
  for (let i = 0; i < 100; i++) reads.remember(String(i), "other", answerOf(10_000));
  assertEquals(reads.find("small", false), small);
  const kept = Array.from({ length: 100 }, (_, i) => reads.find(String(i), false) !== undefined);
  assertEquals(kept.lastIndexOf(false), 93);
  assertEquals(kept.indexOf(true), 94);
  for (let i = 0; i < 100; i++) assertEquals(reads.find("99", false)?.labels.length, 10_000);
});

Deno.test("RememberedReads: a reader keeps its answer, a new read gets a new one", () => {
  let now = 0;
  const reads = new RememberedReads(() => now);
  const answer = { labels: ["a"] } as unknown as DataAnswer;
  reads.remember("url", "me", answer);
  assertEquals(reads.find("other", true), undefined);
  for (now = 1000; now < 50_000; now += 1000) {
    assertEquals(reads.find("url", now % 3000 === 0), answer);
  }
  now = 55_000;
  assertEquals(reads.find("url", false), answer);
  now = 58_000;
  assertEquals(reads.find("url", true), undefined);
  reads.remember("url", "me", answer);
  now += 9_000;
  assertEquals(reads.find("url", true), answer);
  for (let i = 0; i < 52; i++) {
    now += 1000;
    reads.find("url", false);
  }
  assertEquals(reads.find("url", true), undefined);
  for (let i = 0; i < 5000; i++) reads.remember(String(i), "me", answer);
  assertEquals(reads.find("0", false), undefined);
  assertEquals(reads.find("4999", false), answer);
  now += 600_000;
  assertEquals(reads.find("4999", false), undefined);
});
