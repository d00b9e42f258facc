/**
 * Disks that are full or read-only: real ones, small and in memory. Making them takes root on Linux.
 */

import { assert, assertEquals } from "@std/assert";
import { openEngine, verify } from "../../src/engine/mod.ts";
import { createStream, pointsOf, rejection, uuidOf } from "../support/engine.ts";

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
