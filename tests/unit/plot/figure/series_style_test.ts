import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { bandShareOf, lineStyleOf } from "../../../../src/plot/figure/series_style.ts";

Deno.test("lineStyleOf: earlier periods have the colour of their stream, and are lighter, thinner and dashed", () => {
  const now = lineStyleOf({ ink: 0 });
  const dashes = [now.dash.join()];
  for (const period of [1, 2, 3, 4]) {
    const earlier = lineStyleOf({ ink: 0, period });
    assertEquals(earlier.ink, now.ink);
    assert(earlier.alpha < now.alpha && earlier.width < now.width);
    assertNotEquals(earlier.dash.length, 0);
    dashes.push(earlier.dash.join());
  }
  assertEquals(new Set(dashes).size, 5);
  assert(bandShareOf({ ink: 0, period: 1 }) < bandShareOf({ ink: 0 }));
});
