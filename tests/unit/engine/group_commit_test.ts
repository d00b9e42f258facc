import { assert, assertEquals } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { openSqlite } from "../../../src/engine/file/sqlite.ts";
import { GroupCommit } from "../../../src/engine/write/group_commit.ts";
import { rejection } from "../../support/engine.ts";

/** A group commit whose transactions are noted: `"insert insert"`, `"sweep"`, … */
function noted(): { writer: GroupCommit; add: Add; log: string[]; close(): Promise<void> } {
  const log: string[] = [];
  let names: string[] = [];
  const db = openSqlite(":memory:", { readOnly: false });
  const writer = new GroupCommit(db, "memory", {
    checkOwner() {},
    began() {},
    checkFiles() {},
    publish() {},
    afterGroup() {
      log.push(names.join(" "));
      names = [];
    },
  });
  const add: Add = (name, isBackground, signal) => {
    const run = () => void names.push(name);
    const options = signal === undefined ? undefined : { signal };
    return writer.submit(
      { points: 0, kind: "points", isBackground: isBackground === true, run },
      options,
    );
  };
  const close = async () => {
    await writer.close();
    db.close();
  };
  return { writer, add, log, close };
}

type Add = (name: string, isBackground?: boolean, signal?: AbortSignal) => Promise<void>;

Deno.test("GroupCommit: a task that others wait for waits for one of the background at most", async () => {
  const { writer, add, log, close } = noted();
  const all = [add("sweep 1", true), add("sweep 2", true), add("sweep 3", true)];
  const inserts = Promise.all([add("insert"), add("insert")]);
  assertEquals(writer.waiting, 5);
  // What comes during the sweeps does not wait until they are over.
  await inserts.then(() => Promise.all([add("later"), add("later")]));
  await Promise.all(all);
  assertEquals(log, ["sweep 1", "insert insert", "sweep 2", "later later", "sweep 3"]);
  assertEquals(writer.waiting, 0);
  await close();
});

Deno.test("GroupCommit: tasks of the background go on between those that others wait for", async () => {
  const { add, log, close } = noted();
  const sweeps = Array.from({ length: 4 }, (_, i) => add(`sweep ${i}`, true));
  const inserts = (async () => {
    for (let i = 0; i < 8; i++) await add("insert");
  })();
  await Promise.all([...sweeps, inserts]);
  assertEquals(log.filter((names) => names === "insert").length, 8);
  assertEquals(log.filter((names) => names !== "insert"), sweeps.map((_, i) => `sweep ${i}`));
  await close();
});

Deno.test("GroupCommit: one of the background that is no longer wanted is left out, and close waits for the others", async () => {
  const { writer, add, log, close } = noted();
  const controller = new AbortController();
  const left = rejection(add("sweep 1", true, controller.signal));
  const done = add("sweep 2", true);
  controller.abort(new BTrDBError("given up", { status: "GIVEN_UP" }));
  const closed = close();
  assertEquals((await rejection(add("sweep 3", true))).status, "CLOSED");
  await closed;
  assertEquals((await left).status, "GIVEN_UP");
  await done;
  assertEquals([log, writer.waiting], [["sweep 2"], 0]);
});

// Thousands of callers were answered in one go, and all went on in the same turn of the event loop.
Deno.test("GroupCommit: the callers of a long transaction are answered in steps", async () => {
  const { add, log, close } = noted();
  const all = Array.from({ length: 1_000 }, () => add("insert"));
  await all[0];
  assertEquals(await Promise.race<unknown>([all.at(-1), "waits"]), "waits");
  await Promise.all(all);
  assertEquals(log.length, 1);
  await close();
});

// Each waited for a promise, which took a quarter of the time of small inserts to many streams.
Deno.test("GroupCommit: short tasks of a transaction follow each other without a promise", async () => {
  const { writer, close } = noted();
  let ran = 0;
  let breaks = 0;
  await Promise.all(Array.from({ length: 200 }, () =>
    writer.submit({
      points: 0,
      kind: "metadata",
      run() {
        breaks += ran;
        ran = 0;
        Promise.resolve().then(() => ran = 1);
      },
    })));
  assert(breaks < 100, `${breaks}`);
  await close();
});
