/** Tasks of several callers take turns. */

import { assertEquals, assertLessOrEqual } from "@std/assert";
import process from "node:process";
import type { Task } from "../../../src/engine/write/transaction.ts";
import { TaskQueue } from "../../../src/engine/write/task_queue.ts";
import { bareGroupCommit } from "../../support/bare_group_commit.ts";
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
  queue.putBack([item("c1"), item("a2"), item("b2")], [item("a1"), item("b1")]);
  assertEquals(queue.size, 5);
  assertEquals(taken(queue), "c1 a2 d1 b2 a3");
});

Deno.test("TaskQueue: whoever had to wait for a group goes before those of which some was done in it", () => {
  const queue = queued("a1 a2 a3 b1 c1 d1 d2");
  assertEquals(taken(queue, 5, "b"), "a1 c1 d1 a2 d2");
  queue.add(item("e1"));
  queue.putBack([item("d1"), item("a2"), item("d2")], [item("a1"), item("c1")]);
  // Of d nothing was done, but b had its turn before.
  assertEquals(taken(queue), "b1 d1 a2 e1 d2 a3");
});

// A queue of a million tasks was copied after each transaction that had no time for all of its tasks: 0.1 s each.
// Callers that had to wait were looked at anew after each task of the others.
Deno.test("TaskQueue: what is taken and put back costs the same, however many tasks and callers wait", () => {
  const cost = (tasks: number, callers: number) => {
    const queue = new TaskQueue<{ owner: number }>();
    for (let i = 0; i < tasks; i++) queue.add({ owner: 0 });
    for (let owner = 1; owner <= callers; owner++) queue.add({ owner });
    const before = process.cpuUsage();
    for (let group = 0; group < 30; group++) {
      const taken: { owner: number }[] = [];
      queue.takeGroup((item) => {
        if (item.owner !== 0) return "later";
        if (taken.length === 512) return "stop";
        taken.push(item);
        return "take";
      });
      queue.putBack(taken.slice(1), taken.slice(0, 1));
    }
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  // It was some hundred times as much.
  cost(2_000, 20);
  const few = cost(2_000, 20);
  assertLessOrEqual(cost(1_000_000, 20), 10 * few + 100_000);
  assertLessOrEqual(cost(2_000, 2_000), 10 * few + 100_000);
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
    queue.putBack(group.slice(kept), group.slice(0, kept));
    for (const { owner, number } of group.slice(0, kept)) assertEquals(number, seen[owner]!++);
    assertEquals(queue.size, added.reduce((a, b) => a + b) - seen.reduce((a, b) => a + b));
  }
});

// One key could have 150 calls, or a quarter of a million inserts of one message, wait in front of everybody
// else's: tasks were done in the order in which they came.
Deno.test("GroupCommit: a caller waits for few tasks of another one, however many wait", async () => {
  const { writer, close } = bareGroupCommit();
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
  await close();
});

// What there was no time for was put back in front of everybody. As long as one key made streams, more than
// a transaction has time for, nobody else's insert was done.
Deno.test("GroupCommit: a caller of inserts waits for one transaction of another one's metadata, although it has no time for all of them", async () => {
  const { writer, close } = bareGroupCommit();
  let done = 0;
  const run = () => {
    for (const end = performance.now() + 1; performance.now() < end;);
    done++;
  };
  const callers = ["greedy", ...Array.from({ length: 100 }, (_, i) => i)];
  for (const owners of [callers.slice(0, 1), callers]) {
    done = 0;
    // Whoever is answered asks again.
    let isOver = false;
    const ask = async (owner: unknown) => {
      while (!isOver && done < 400) {
        await writer.submit({ points: 0, kind: "metadata", run }, { owner });
      }
    };
    const greedy = Array.from({ length: 200 }, (_, i) => ask(owners[i % owners.length]));
    const before = await writer.submit(
      { points: 10, kind: "points", run: () => done },
      { owner: "modest" },
    );
    isOver = true;
    // Those of everybody who was there before have a turn.
    assertLessOrEqual(before, 64 + owners.length, `${owners.length} callers`);
    await Promise.all(greedy);
  }
  await close();
});

// A transaction of thousands of inserts of one caller went on while another one waited for its end.
Deno.test("GroupCommit: while several callers wait, a transaction ends before all of its tasks are done", async () => {
  let groups = 0;
  const { writer, close } = bareGroupCommit({ afterGroup: () => void groups++ });
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
  await close();
});
