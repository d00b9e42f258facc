/** Tasks of several callers take turns. */

import { assertEquals, assertLessOrEqual } from "@std/assert";
import { openSqlite } from "../../../src/engine/file/sqlite.ts";
import { GroupCommit } from "../../../src/engine/write/group_commit.ts";
import type { Task } from "../../../src/engine/write/transaction.ts";
import { TaskQueue } from "../../../src/engine/write/task_queue.ts";
import { Random } from "../../support/random.ts";

const item = (name: string) => ({ name, owner: name[0] });

/** A queue of tasks that are named by their caller and their number. */
function queued(names: string): TaskQueue<ReturnType<typeof item>> {
  const queue = new TaskQueue<ReturnType<typeof item>>();
  for (const name of names.split(" ")) queue.add(item(name));
  return queue;
}

/** Takes up to `most` tasks, but none of the callers in `later`. */
function taken(queue: ReturnType<typeof queued>, most = Infinity, later = ""): string {
  const names: string[] = [];
  queue.takeGroup(({ name, owner }) => {
    if (names.length === most) return "stop";
    if (later.includes(owner!)) return "later";
    names.push(name);
    return "take";
  });
  return names.join(" ");
}

Deno.test("TaskQueue: callers take turns, and the tasks of each keep their order", () => {
  const queue = queued("a1 a2 a3 b1 a4 c1 b2");
  assertEquals(queue.size, 7);
  assertEquals([queue.hasOthers("a"), queue.hasOthers("d")], [true, true]);
  assertEquals(taken(queue, 4), "a1 b1 c1 a2");
  assertEquals(taken(queue), "b2 a3 a4");
  assertEquals([queue.size, queue.hasOthers("a"), taken(queue)], [0, false, ""]);
});

Deno.test("TaskQueue: whoever has to wait for the next group is the first of it", () => {
  const queue = queued("a1 b1 c1 a2 b2 a3");
  assertEquals(taken(queue, Infinity, "b"), "a1 c1 a2 a3");
  queue.add(item("a4"));
  assertEquals(taken(queue), "b1 a4 b2");
});

Deno.test("TaskQueue: tasks that are put back are the next, in their order", () => {
  const queue = queued("a1 a2 a3 b1 b2 c1");
  assertEquals(taken(queue, 5), "a1 b1 c1 a2 b2");
  queue.add(item("d1"));
  queue.putBack([item("c1"), item("a2"), item("b2")]);
  assertEquals(queue.size, 5);
  assertEquals(taken(queue), "c1 a2 b2 d1 a3");
});

Deno.test("TaskQueue: nothing is lost or doubled, and each caller's order is kept, whatever is taken and put back", () => {
  const random = new Random(15);
  const queue = new TaskQueue<{ owner: number; number: number }>();
  const added = [0, 0, 0, 0], seen = [0, 0, 0, 0];
  for (let round = 0; round < 3_000; round++) {
    for (let n = random.int(0, 9); n > 0; n--) {
      const owner = random.int(0, 3) & random.int(0, 3);
      queue.add({ owner, number: added[owner]!++ });
    }
    const most = random.int(0, 8);
    const group: { owner: number; number: number }[] = [];
    queue.takeGroup((one) => {
      if (group.length === most) return "stop";
      if (random.chance(0.2)) return "later";
      group.push(one);
      return "take";
    });
    const kept = random.chance(0.5) ? group.length : random.int(0, group.length);
    queue.putBack(group.slice(kept));
    for (const { owner, number } of group.slice(0, kept)) assertEquals(number, seen[owner]!++);
    assertEquals(queue.size, added.reduce((a, b) => a + b) - seen.reduce((a, b) => a + b));
  }
});

// One key could have 150 calls, or a quarter of a million inserts of one message, wait in front of everybody
// else's: tasks were done in the order in which they came.
Deno.test("GroupCommit: a caller waits for few tasks of another one, however many wait", async () => {
  const db = openSqlite(":memory:", { readOnly: false });
  const writer = new GroupCommit(db, "memory", {
    checkOwner() {},
    began() {},
    checkFiles() {},
    publish() {},
    isCheckpointDue: () => false,
    checkpoint() {},
    afterGroup() {},
  });
  const cases: [Task<void>["kind"], number, number][] = [
    ["metadata", 0, 64],
    ["points", 300_000, 3],
    ["points", 1_048_576, 1],
  ];
  for (const [kind, points, most] of cases) {
    let done = 0;
    const greedy = Array.from(
      { length: 200 },
      () => writer.submit({ points, kind, run: () => void done++ }, { owner: "greedy" }),
    );
    const before = await writer.submit(
      { points: 10, kind: "points", run: () => done },
      { owner: "modest" },
    );
    assertLessOrEqual(before, most, `${kind} of ${points} points`);
    await Promise.all(greedy);
  }
  await writer.close();
  db.close();
});

// A transaction of thousands of inserts of one caller went on while another one waited for its end.
Deno.test("GroupCommit: while several callers wait, a transaction ends before all of its tasks are done", async () => {
  const db = openSqlite(":memory:", { readOnly: false });
  let groups = 0;
  const writer = new GroupCommit(db, "memory", {
    checkOwner() {},
    began() {},
    checkFiles() {},
    publish() {},
    isCheckpointDue: () => false,
    checkpoint() {},
    afterGroup: () => void groups++,
  });
  const busy = (ms: number) => {
    for (const end = performance.now() + ms; performance.now() < end;);
  };
  const order: number[] = [];
  const submit = (owner: string) =>
    Promise.all(Array.from({ length: 10 }, (_, i) =>
      writer.submit({
        points: 1,
        kind: "points",
        run: () => {
          busy(10);
          if (owner === "greedy") order.push(i);
        },
      }, { owner })));
  await submit("greedy");
  assertEquals(groups, 1);
  await Promise.all([submit("greedy"), submit("modest")]);
  assertEquals(order, [...order.slice(0, 10), ...order.slice(0, 10)]);
  assertEquals(groups >= 4, true, `${groups} transactions`);
  await writer.close();
  db.close();
});
