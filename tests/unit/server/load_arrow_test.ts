/** The Arrow functions of a server are loaded between turns of the event loop. */

import { setImmediate } from "node:timers";
import { assertGreaterOrEqual, assertStrictEquals } from "@std/assert";
import { ipcToRawInSlices } from "../../../src/arrow/read_ipc_in_slices.ts";
import { rawToIpc } from "../../../src/arrow/write_ipc.ts";
import { loadArrow } from "../../../src/server/btrdb/load_arrow.ts";

/** Turns of the event loop in which it looks at its sockets once. */
const TURNS = 61;

// The first Arrow call of a server loaded the library, all modules that use it, and went to work in one
// turn of the event loop: 17 to 29 ms of CPU time.
Deno.test("loadArrow: loads in turns of their own, once", async () => {
  let turns = 0, isLoaded = false;
  const count = () => {
    turns++;
    if (!isLoaded) setImmediate(count);
  };
  setImmediate(count);
  const loaded = await loadArrow();
  isLoaded = true;
  // Before the library, between it and four modules, and before whoever waits for them; what is short
  // does not wait for the sockets each time.
  assertGreaterOrEqual(turns, TURNS + 5);
  assertStrictEquals(loaded.rawToIpc, rawToIpc);
  assertStrictEquals(loaded.ipcToRawInSlices, ipcToRawInSlices);
  assertStrictEquals(await loadArrow(), loaded);
  await new Promise((resolve) => setImmediate(resolve));
});
