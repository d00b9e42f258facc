import { assertEquals } from "@std/assert";
import { isLong } from "../../../src/server/transport/long_deadlines.ts";

Deno.test("isLong tells deadlines that no timer reaches", () => {
  for (const timeout of ["600H", "40000M", "2147484S", "99999999H", "600 H"]) {
    assertEquals([timeout, isLong(timeout)], [timeout, true]);
  }
  for (const timeout of ["500H", "90S", "99999999m", "99999999u", "1n", "0H", "", "H", "9x"]) {
    assertEquals([timeout, isLong(timeout)], [timeout, false]);
  }
});
