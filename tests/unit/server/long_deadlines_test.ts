import { assertEquals } from "@std/assert";
import { isFar } from "../../../src/server/transport/long_deadlines.ts";

Deno.test("isFar tells deadlines that no timer reaches", () => {
  for (const timeout of ["600H", "40000M", "2147484S", "99999999H", "600 H"]) {
    assertEquals([timeout, isFar(timeout)], [timeout, true]);
  }
  for (const timeout of ["500H", "90S", "99999999m", "99999999u", "1n", "0H", "", "H", "9x"]) {
    assertEquals([timeout, isFar(timeout)], [timeout, false]);
  }
});
