import { assertEquals } from "@std/assert";
import { FirstMessages } from "../../../src/server/transport/first_messages.ts";
import { until } from "../../support/until.ts";

Deno.test("FirstMessages: one timer ends the silent calls in their order, and no others", async () => {
  const messages = new FirstMessages(20);
  const ended: string[] = [];
  const call = (name: string) => ({ endSilent: () => void ended.push(name) });
  const [first, second, third] = [call("first"), call("second"), call("third")];
  messages.expect(first);
  messages.expect(second);
  messages.expect(third);
  messages.heard(second);
  messages.heard(second);
  await until("two are ended", () => ended.length === 2);
  // The timer ran out while nobody waited: the next call has one again.
  const late = call("late");
  messages.expect(late);
  await until("the late one is ended", () => ended.length === 3);
  assertEquals(ended, ["first", "third", "late"]);
  messages.expect(first);
  messages.close();
  // The timer stops with the last call, or this test would leave it behind.
  messages.heard(first);
  assertEquals(ended.length, 3);
});
