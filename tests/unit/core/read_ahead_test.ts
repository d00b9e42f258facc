import { assertEquals, assertRejects } from "@std/assert";
import { readAhead } from "../../../src/core/read_ahead.ts";
import { until } from "../../support/until.ts";

Deno.test("readAhead: the source is read to its end while one item is held", async () => {
  let read = 0;
  async function* source() {
    for (; read < 100; read++) yield await Promise.resolve(read);
  }
  const found: number[] = [];
  for await (const item of readAhead(source())) {
    if (found.length === 0) await until("all is read", () => read === 100);
    found.push(item);
  }
  assertEquals(found, Array.from({ length: 100 }, (_, i) => i));
});

Deno.test("readAhead: the error of the source comes after what was read", async () => {
  async function* source() {
    yield await Promise.resolve(1);
    throw new RangeError("no more");
  }
  const found: number[] = [];
  await assertRejects(
    async () => {
      for await (const item of readAhead(source())) found.push(item);
    },
    RangeError,
    "no more",
  );
  assertEquals(found, [1]);
});

Deno.test("readAhead: who leaves ends the source at its next item", async () => {
  let isReturned = false;
  async function* source() {
    try {
      for (;;) yield await Promise.resolve(0);
    } finally {
      isReturned = true;
    }
  }
  for await (const _ of readAhead(source())) break;
  await until("it has ended", () => isReturned);
});
