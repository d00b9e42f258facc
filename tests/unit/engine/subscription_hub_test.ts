/** Subscribers that do not read: what waits for them is bounded, for each and for all together. */

import { assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { nextTurn } from "../../../src/core/event_loop.ts";
import type { SubscriptionUpdate } from "../../../src/endpoint/endpoint.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import {
  MAX_OWNER_POINTS,
  MAX_TOTAL_POINTS,
  SubscriptionHub,
} from "../../../src/engine/subscription_hub.ts";
import { MAX_OWNER_SUBSCRIBED, MAX_SUBSCRIBED } from "../../../src/engine/subscribed_streams.ts";
import { MAX_PENDING_POINTS } from "../../../src/engine/subscription.ts";
import { overflowingTimers } from "../../support/until.ts";

const POINTS = 1 << 20;
const columns = { times: new BigInt64Array(POINTS), values: new Float64Array(POINTS) };
const uuidOf = (n: number) => new Uint8Array(16).fill(n);

/** Hands on what is held: whoever subscribes now must not get it. */
const handOn = (hub: SubscriptionHub) => hub.subscribe([uuidOf(99)], undefined).return!();

Deno.test("SubscriptionHub: a subscriber that is too far behind is dropped after what waits for it", async () => {
  const hub = new SubscriptionHub();
  const slow = hub.subscribe([uuidOf(1)], undefined);
  const most = MAX_PENDING_POINTS / POINTS;
  for (let i = 0; i <= most; i++) hub.publish(uuidOf(1), columns);
  await handOn(hub);
  for (let i = 0; i < most; i++) assertEquals((await slow.next()).done, false);
  assertEquals((await assertRejects(() => slow.next(), BTrDBError)).code, 426);
});

Deno.test("SubscriptionHub: of many subscribers that do not read, the one furthest behind is dropped first", async () => {
  const hub = new SubscriptionHub();
  const each = MAX_PENDING_POINTS / POINTS;
  const others = Array.from({ length: 5 }, (_, i) => hub.subscribe([uuidOf(i + 1)], undefined));
  // The first has a point less to wait for than it may; the others share what is left.
  for (let n = 1; n <= 5; n++) {
    for (let i = 0; i < (n === 1 ? each : each - 1); i++) hub.publish(uuidOf(n), columns);
  }
  const kept = MAX_TOTAL_POINTS / POINTS;
  assertEquals(each + 4 * (each - 1), kept);
  hub.publish(uuidOf(5), columns);
  hub.publish(uuidOf(4), columns);
  await handOn(hub);
  const first = await assertRejects(() => others[0]!.next(), BTrDBError);
  assertEquals([first.code, /all subscriptions together/.test(first.message)], [426, true]);
  for (const other of others.slice(1)) {
    assertEquals((await other.next()).done, false);
    await other.return!();
  }
});

Deno.test("SubscriptionHub: a deadline further away than any timer does not end a subscription", async () => {
  const hub = new SubscriptionHub();
  const updates = hub.subscribe([uuidOf(1)], { deadlineMs: Date.now() + 1e12 });
  const next = updates.next();
  await overflowingTimers();
  hub.publish(uuidOf(1), columns);
  assertEquals((await next).done, false);
  await updates.return!();
});

Deno.test("SubscriptionHub: subscribers of one caller that do not read push out nobody else's", async () => {
  const hub = new SubscriptionHub();
  const owner = {};
  const most = MAX_OWNER_POINTS / POINTS;
  const own = Array.from({ length: 4 }, () => hub.subscribe([uuidOf(1)], { owners: [owner] }));
  const other = hub.subscribe([uuidOf(1)], { owners: [{}] });
  for (let i = 0; i <= most / 4; i++) hub.publish(uuidOf(1), columns);
  await handOn(hub);
  const ends = await Promise.all(
    own.map((one) => one.next().then(() => 200, (error) => error.code)),
  );
  assertEquals(ends.toSorted(), [200, 200, 426, 426]);
  for (let i = 0; i <= most / 4; i++) assertEquals((await other.next()).done, false);
  for (const one of [...own, other]) await one.return!();
});

Deno.test("SubscriptionHub: all subscribers get one copy, which is not the caller's", async () => {
  const hub = new SubscriptionHub();
  const all = Array.from({ length: 40 }, () => hub.subscribe([uuidOf(1)], undefined));
  const nexts = all.map((one) => one.next());
  const some = { times: BigInt64Array.of(1n), values: Float64Array.of(2) };
  hub.publish(uuidOf(1), some);
  some.values[0] = 3;
  const got = new Set((await Promise.all(nexts)).map(({ value }) => value.columns));
  assertEquals([...got], [{ times: BigInt64Array.of(1n), values: Float64Array.of(2) }]);
  for (const one of all) await one.return!();
});

Deno.test("SubscriptionHub: what is inserted while subscribers are told is one update for each stream", async () => {
  const hub = new SubscriptionHub();
  const [one, two] = [uuidOf(1), uuidOf(2)];
  const point = (time: number) => ({
    times: BigInt64Array.of(BigInt(time)),
    values: new Float64Array(1),
  });
  const readers = Array.from({ length: 100 }, () => hub.subscribe([one, two], undefined));
  for (let i = 0; i < 50; i++) {
    hub.publish(one, point(i));
    hub.publish(two, point(100 + i));
  }
  // Whoever comes later gets what comes later.
  const late = hub.subscribe([one], undefined);
  hub.publish(one, point(50));
  const read = async (reader: typeof late, points: number) => {
    const times: number[] = [];
    let updates = 0;
    for (; times.length < points; updates++) {
      const { value } = await reader.next();
      times.push(...[...value.columns.times].map(Number));
    }
    await reader.return!();
    return { times, updates };
  };
  const expected = Array.from({ length: 51 }, (_, i) => i);
  for (const { times, updates } of await Promise.all(readers.map((reader) => read(reader, 101)))) {
    assertEquals(times.filter((time) => time < 100), expected);
    assertEquals(times.filter((time) => time >= 100), expected.slice(0, 50).map((i) => 100 + i));
    assertLess(updates, 6);
  }
  assertEquals((await read(late, 1)).times, [50]);
});

Deno.test("SubscriptionHub: subscribers are told of a burst of inserts that never ends", async () => {
  const hub = new SubscriptionHub();
  const uuids = Array.from({ length: 100 }, (_, i) => uuidOf(i));
  const reader = hub.subscribe(uuids, undefined);
  const told: SubscriptionUpdate[] = [];
  const reading = (async () => {
    for await (const update of reader) told.push(update);
  })().catch(() => {});
  let rounds = 0;
  for (; told.length < 300; rounds++) {
    const point = { times: BigInt64Array.of(BigInt(rounds)), values: new Float64Array(1) };
    for (const uuid of uuids) hub.publish(uuid, point);
    await nextTurn();
  }
  hub.close();
  await reading;
  for (const uuid of uuids) {
    const own = told.filter((update) => update.uuid[0] === uuid[0]);
    const times = own.flatMap(({ columns }) => [...columns.times]);
    assertEquals(times, Array.from({ length: rounds }, (_, i) => BigInt(i)));
  }
});

Deno.test("SubscriptionHub: what is held is handed on before the end", async () => {
  const hub = new SubscriptionHub();
  const point = { times: BigInt64Array.of(1n), values: Float64Array.of(1) };
  const readers = Array.from({ length: 20 }, () => hub.subscribe([uuidOf(1)], undefined));
  for (let i = 0; i < 3; i++) hub.publish(uuidOf(1), point);
  hub.close();
  for (const reader of readers) {
    let points = 0;
    await assertRejects(async () => {
      for await (const { columns } of reader) points += columns.times.length;
    }, BTrDBError);
    assertEquals(points, 3);
  }
});

Deno.test("SubscriptionHub: whoever inserts is answered before anybody is told", async () => {
  const hub = new SubscriptionHub();
  const point = { times: BigInt64Array.of(1n), values: Float64Array.of(1) };
  const order: string[] = [];
  const readers = Array.from({ length: 900 }, () => hub.subscribe([uuidOf(1)], undefined));
  const told = readers.map((reader) => reader.next().then(() => order.push("told")));
  hub.publish(uuidOf(1), point);
  // An answer goes through a few microtasks and turns until its bytes are written.
  for (let i = 0; i < 20; i++) await Promise.resolve();
  for (let i = 0; i < 3; i++) await nextTurn();
  order.push("answered");
  await Promise.all(told);
  assertEquals([order[0], order.length], ["answered", 901]);
  for (const reader of readers) await reader.return!();
});

Deno.test("SubscriptionHub: subscribers of one connection are told together, each in the order of inserts", async () => {
  const hub = new SubscriptionHub();
  const connections = Array.from({ length: 10 }, () => ({}));
  const order: number[] = [];
  const readers = Array.from({ length: 400 }, (_, i) => {
    return hub.subscribe([uuidOf(1)], { owners: [connections[i % 10]] });
  });
  const told = readers.map(async (reader, i) => {
    const times: bigint[] = [];
    while (times.length < 3) {
      const { value } = await reader.next();
      if (times.length === 0) order.push(i % 10);
      times.push(...value.columns.times);
    }
    assertEquals(times, [1n, 2n, 3n]);
    await reader.return!();
  });
  for (let i = 1n; i <= 3n; i++) {
    hub.publish(uuidOf(1), { times: BigInt64Array.of(i), values: Float64Array.of(1) });
    // A few of them know of the first one when the others come.
    await nextTurn();
  }
  await Promise.all(told);
  assertEquals(order, order.toSorted((a, b) => a - b));
});

Deno.test("SubscriptionHub: a large insert while others are told comes after them, and ends no wait early", async () => {
  const n = 300_000;
  const large = { times: new BigInt64Array(n), values: new Float64Array(n) };
  const hub = new SubscriptionHub();
  const readers = Array.from({ length: 20 }, () => hub.subscribe([uuidOf(1)], undefined));
  const all = readers.map(async (reader) => {
    const seen: number[] = [];
    for (let points = 0; points < 2 * n + 1;) {
      const { value } = await reader.next();
      seen.push(value.columns.times.length);
      points += value.columns.times.length;
    }
    await reader.return!();
    return seen;
  });
  hub.publish(uuidOf(1), { times: BigInt64Array.of(1n), values: Float64Array.of(1) });
  hub.publish(uuidOf(1), large);
  hub.publish(uuidOf(1), large);
  for (const seen of await Promise.all(all)) assertEquals(seen, [1, n, n]);
});

Deno.test("SubscriptionHub: streams of all subscriptions are bounded, for each owner and in all", async () => {
  const hub = new SubscriptionHub();
  const uuids = Array.from({ length: 8_192 }, (_, i) => {
    const uuid = new Uint8Array(16);
    new DataView(uuid.buffer).setUint32(0, i);
    return uuid;
  });
  const each = MAX_OWNER_SUBSCRIBED / uuids.length;
  const owners = [[{}], [{}]];
  const all = owners.flatMap((owners) =>
    Array.from({ length: each }, () => hub.subscribe(uuids, { owners }))
  );
  assertEquals(all.length * uuids.length, MAX_SUBSCRIBED);
  const codeOf = (owners: object[]) =>
    assertThrows(() => hub.subscribe([uuidOf(1)], { owners }), BTrDBError).code;
  assertEquals([codeOf(owners[0]!), codeOf([{}])], [426, 426]);
  const own = hub.subscribe(uuids, undefined);
  // What ends makes room, once, and for its owner alone.
  await all[0]!.return!();
  await all[0]!.return!();
  assertEquals(codeOf(owners[1]!), 426);
  const next = hub.subscribe(uuids, { owners: owners[0]! });
  assertEquals(codeOf([{}]), 426);
  for (const one of [...all, own, next]) await one.return!();
  await hub.subscribe(uuids, { owners: [{}] }).return!();
});
