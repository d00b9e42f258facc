/**
 * Disks that are full or read-only: real ones, small and in memory. Making them takes root on Linux.
 */

import { assert, assertEquals } from "@std/assert";
import { delay } from "../../src/core/call.ts";
import { openEngine, verify } from "../../src/engine/mod.ts";
import { createStream, pointsOf, rejection, uuidOf } from "../support/engine.ts";
import { until } from "../support/until.ts";

async function run(command: string, ...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(command, { args, stderr: "null" }).output();
  return success;
}

/** Runs `work` on a disk of its own; not at all where none can be made. */
async function withDisk(size: string, work: (mount: string) => Promise<void>): Promise<void> {
  const mount = await Deno.makeTempDir();
  const isMounted = await run("mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", mount)
    .catch(() => false);
  if (!isMounted) {
    await Deno.remove(mount);
    return;
  }
  try {
    await work(mount);
  } finally {
    await run("umount", mount);
    await Deno.remove(mount);
  }
}

const ignore = Deno.build.os !== "linux" || Deno.uid() !== 0;

/** Values that do not compress, as a seeded generator gives them. */
function noise(n: number, seed: number) {
  let state = seed;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  return {
    times: BigInt64Array.from({ length: n }, (_, i) => BigInt(seed * n + i) * 1_000_003n),
    values: Float64Array.from({ length: n }, random),
  };
}

Deno.test({
  name:
    "a full disk refuses what does not fit, keeps what is there, and goes on when there is room",
  ignore,
  fn: () =>
    withDisk("6m", async (mount) => {
      const path = `${mount}/grid.btrdb`;
      const ballast = `${mount}/ballast`;
      await Deno.writeFile(ballast, new Uint8Array(2 << 20));
      let kept = 0;
      const uuid = uuidOf(1);
      {
        await using engine = await openEngine({ path });
        await createStream(engine);
        for (let i = 0, refused = 0; refused < 3; i++) {
          assert(i < 1000, "the disk never fills");
          try {
            await engine.insert({ uuid, columns: noise(5000, i) });
            kept += 5000;
          } catch {
            refused++;
            const again = engine.insert({ uuid, columns: noise(5000, i) });
            assertEquals((await rejection(again)).status, "DISK_FULL");
          }
        }
        assertEquals((await pointsOf(engine, uuid)).length, kept);
      }
      {
        await using reader = await openEngine({ path, readOnly: true });
        assertEquals((await pointsOf(reader, uuid)).length, kept);
      }
      await Deno.remove(ballast);
      await using engine = await openEngine({ path });
      assertEquals((await pointsOf(engine, uuid)).length, kept);
      await engine.insert({ uuid, columns: noise(10, 5000) });
      assertEquals((await pointsOf(engine, uuid)).length, kept + 10);
      assertEquals((await verify(path)).problems, []);
    }),
});

// A page in the log could be written again although no insert could: each second a server said that it was
// ready, got an insert, refused it and was not ready, so that an orchestrator sent it calls in vain all day.
Deno.test({
  name: "a full disk is in trouble until what was refused fits, whatever fits before",
  ignore,
  fn: () =>
    withDisk("6m", async (mount) => {
      const ballast = `${mount}/ballast`;
      await Deno.writeFile(ballast, new Uint8Array(3 << 20));
      await using engine = await openEngine({ path: `${mount}/grid.btrdb` });
      const uuid = await createStream(engine);
      let status = "";
      let seed = 0;
      while (status === "") {
        assert(seed < 1000, "the disk never fills");
        const insert = engine.insert({ uuid, columns: noise(5000, seed++) });
        await insert.catch((error) => status = error.status);
      }
      assertEquals(status, "DISK_FULL");
      const statuses = new Set<string | undefined>();
      // Three trials, or fewer on a machine that is too busy for them.
      for (let i = 0; i < 35; i++) {
        statuses.add(engine.trouble()?.status);
        await delay(100);
      }
      await engine.insert({ uuid, columns: noise(1, 1000) }).catch(() => {});
      statuses.add(engine.trouble()?.status);
      assertEquals([...statuses], ["DISK_FULL"]);
      await Deno.remove(ballast);
      await until("it finds out by itself", () => engine.trouble() === undefined);
      await engine.insert({ uuid, columns: noise(5000, seed) });
      assertEquals(engine.trouble(), undefined);
    }),
});

Deno.test({
  name: "a database on a read-only disk is read and verified; to write it is refused",
  ignore,
  fn: () =>
    withDisk("20m", async (mount) => {
      const path = `${mount}/a grid? 100%25 #1.btrdb`;
      {
        await using engine = await openEngine({ path });
        await engine.insert({ uuid: await createStream(engine), columns: noise(2000, 1) });
      }
      assert(await run("mount", "-o", "remount,ro", mount));
      const error = await rejection(openEngine({ path }));
      assertEquals(error.status, "READ_ONLY");
      assert(error.message.includes("open it read-only"), error.message);
      await using reader = await openEngine({ path, readOnly: true });
      assertEquals((await pointsOf(reader, uuidOf(1))).length, 2000);
      assertEquals((await verify(path)).problems, []);
    }),
});
