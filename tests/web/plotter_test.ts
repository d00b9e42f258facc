/** The plotter as a person uses it, in a real browser. */

import { assertEquals } from "@std/assert";
import { findChromium } from "../support/chromium.ts";
import { withPlotter } from "../support/plotter_page.ts";

const path = findChromium("the plotter");

Deno.test({
  name: "plotter: streams are listed, and one that is chosen is drawn",
  ignore: path === undefined,
  async fn() {
    await withPlotter(path!, async ({ page }) => {
      const { rows } = await page.tree();
      assertEquals(rows, ["grid", "pmu-1", "angle", "magnitude"]);
      await page.choose("magnitude");
      await page.settled();
      assertEquals(await page.chips(), ["magnitude"]);
    });
  },
});
