import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { nextTurn } from "../../../src/core/event_loop.ts";
import { ENTERED_AT_ONCE, SubscribersByStream } from "../../../src/engine/subscribers_by_stream.ts";

const KEYS = Array.from({ length: 10 * ENTERED_AT_ONCE + 5 }, (_, i) => `${i}`);

/** Keys that count how many were taken from them. */
class CountedKeys extends Set<string> {
  taken = 0;

  override *[Symbol.iterator](): SetIterator<string> {
    for (const key of super.values()) {
      this.taken++;
      yield key;
    }
  }
}

// A subscription of 10,000 streams was entered for all of them at once: everybody else waited for
// 20 to 30 ms.
Deno.test("SubscribersByStream: very many streams are entered in steps", async () => {
  const subscribers = new SubscribersByStream<{ keys: CountedKeys }>();
  const keys = new CountedKeys(KEYS);
  subscribers.add({ keys });
  for (let before = 0; before < KEYS.length;) {
    assertLessOrEqual(keys.taken - before, ENTERED_AT_ONCE);
    before = keys.taken;
    await nextTurn();
  }
});

Deno.test("SubscribersByStream: whoever is still being entered is found, once", async () => {
  const subscribers = new SubscribersByStream<{ keys: CountedKeys }>();
  const [one, other] = [{ keys: new CountedKeys(KEYS) }, { keys: new CountedKeys(["0", "x"]) }];
  subscribers.add(one);
  subscribers.add(other);
  for (let isDone = false; !isDone; await nextTurn()) {
    isDone = one.keys.taken === KEYS.length;
    assertEquals([...subscribers.of("0")], [one, other]);
    assertEquals([...subscribers.of(KEYS.at(-1)!)], [one]);
    assertEquals([...subscribers.of("x")], [other]);
    assertEquals([subscribers.has(KEYS.at(-1)!), subscribers.has("y")], [true, false]);
  }
});

Deno.test("SubscribersByStream: whoever is removed while it is entered is gone", async () => {
  const subscribers = new SubscribersByStream<{ keys: CountedKeys }>();
  const one = { keys: new CountedKeys(KEYS) };
  subscribers.add(one);
  await nextTurn();
  subscribers.remove(one);
  const { taken } = one.keys;
  for (let turn = 0; turn < 1_000; turn++) await nextTurn();
  assertEquals(one.keys.taken, taken);
  assert(!KEYS.some((key) => subscribers.has(key)));
});
