/**
 * Two writers of one file, which lead to it by different paths. SQLite keeps its log beside the path,
 * so that both used to be acknowledged, and half of the points were gone.
 *
 * `TWO_WRITERS_ROUNDS=100` makes that many rounds, `TWO_WRITERS_SEED=…` the same ones again.
 */

import { assert, assertEquals } from "@std/assert";
import { BTrDBError } from "../../src/core/errors.ts";
import { openEngine, verify } from "../../src/engine/mod.ts";
import { LoneWriter } from "../support/lone_writer_process.ts";
import { Random } from "../support/random.ts";

const ROUNDS = Number(Deno.env.get("TWO_WRITERS_ROUNDS") ?? 12);

/** Every point that was acknowledged is there, by whichever path the file can be opened. */
async function checkAll(paths: readonly string[], expected: Map<number, number>): Promise<void> {
  let opened = 0;
  for (const path of paths) {
    try {
      const engine = await openEngine({ path });
      opened++;
      for (const [byte, count] of expected) {
        const uuid = new Uint8Array(16).fill(byte);
        const times: bigint[] = [];
        const request = { uuid, start: 0n, end: 1n << 40n, version: 0n };
        for await (const { columns } of engine.rawValues(request)) times.push(...columns.times);
        assert(times.length >= count, `${path}: ${times.length} of ${count} points of ${byte}`);
        times.forEach((time, i) => assertEquals(time, BigInt(i)));
      }
      await engine.close();
      const { problems } = await verify(path);
      assertEquals(problems, []);
    } catch (error) {
      if (!(error instanceof BTrDBError) || error.status !== "LOCKED") throw error;
    }
  }
  assert(opened > 0, "The file cannot be opened by any path");
}

/** Other paths to a file: hard and symbolic links, and a mount of the file alone where that is allowed. */
async function otherPaths(folder: string): Promise<{ paths: string[]; unmount(): Promise<void> }> {
  const file = `${folder}/a/grid.btrdb`;
  for (const name of ["b", "c"]) await Deno.mkdir(`${folder}/${name}`);
  await Deno.link(file, `${folder}/b/hard.btrdb`);
  await Deno.symlink(`${folder}/b/hard.btrdb`, `${folder}/c/soft.btrdb`);
  const paths = [file, `${folder}/b/hard.btrdb`, `${folder}/c/soft.btrdb`];
  const mounted = `${folder}/c/mounted.btrdb`;
  await Deno.writeTextFile(mounted, "");
  const mount = await new Deno.Command("mount", { args: ["--bind", file, mounted], stderr: "null" })
    .output().catch(() => undefined);
  if (mount?.success !== true) {
    console.warn("skipped: the path through a bind mount, which this user may not make");
    return { paths, unmount: () => Promise.resolve() };
  }
  return {
    paths: [...paths, mounted],
    async unmount() {
      await new Deno.Command("umount", { args: [mounted] }).output();
    },
  };
}

/** Keeps a core busy until it is killed: a process, because a thread that loops cannot be stopped. */
function busyLoop(): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), { args: ["eval", "for (;;);"] }).spawn();
}

Deno.test("openEngine: two writers by different paths lose nothing, whichever of them is killed", async (t) => {
  await rounds(t, ROUNDS);
});

Deno.test("openEngine: two writers lose nothing on a machine that is busy with other things", async (t) => {
  const loops = [busyLoop(), busyLoop()];
  try {
    await rounds(t, 3);
  } finally {
    for (const loop of loops) loop.kill("SIGKILL");
    for (const loop of loops) await loop.status;
  }
});

/** Lets two writers meet so many times. */
async function rounds(t: Deno.TestContext, count: number): Promise<void> {
  const seed = Number(Deno.env.get("TWO_WRITERS_SEED") ?? Math.floor(Math.random() * 2 ** 32));
  await t.step(`seed ${seed}`, async () => {
    const random = new Random(seed);
    const folder = await Deno.makeTempDir();
    await Deno.mkdir(`${folder}/a`);
    await (await openEngine({ path: `${folder}/a/grid.btrdb` })).close();
    const { paths, unmount } = await otherPaths(folder);
    const expected = new Map<number, number>();
    let acknowledged = 0;
    try {
      for (let round = 0; round < count; round++) {
        const first = random.pick(paths);
        const second = random.pick(paths.filter((path) => path !== first));
        const writers = [
          new LoneWriter(first, 2 * round + 1),
          new LoneWriter(second, 2 * round + 2),
        ];
        const wanted = random.int(1, 120);
        await Promise.all(writers.map((writer) => writer.until(wanted)));
        const running = writers.filter(({ end }) => end === undefined);
        assert(running.length <= 1, "Two writers are acknowledged");
        for (const writer of writers) {
          if (writer.end !== undefined) assertEquals(writer.end, "LOCKED");
        }
        const [winner] = running;
        if (winner !== undefined) {
          // A third one comes by yet another path while the winner writes.
          const third = new LoneWriter(random.pick(paths), 250);
          await third.until(1);
          assertEquals(third.end, "LOCKED");
          await third.close();
          await winner.until(winner.acknowledged + random.int(1, 60));
        }
        for (const writer of writers) {
          if (writer === winner && random.chance(0.7)) await writer.kill();
          else await writer.close();
          if (writer.acknowledged > 0) expected.set(writer.byte, writer.acknowledged);
          acknowledged += writer.acknowledged;
        }
        await checkAll(winner === undefined ? paths : [winner.path, ...paths], expected);
      }
      assert(acknowledged > 0, "nothing was acknowledged");
    } finally {
      await unmount();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test({
  name: "openEngine: a file that was closed can be opened, although other threads start processes",
  // Only there is the file itself locked.
  ignore: Deno.build.os !== "linux",
  async fn() {
    // A process that is being started has copies of all descriptors until it runs its program, and a
    // lock ends only with the last of them, or when it is given back.
    const source = `setInterval(() => new Deno.Command("true").output(), 1);`;
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const starting = new Worker(url, { type: "module" });
    const folder = await Deno.makeTempDir();
    try {
      for (let i = 0; i < 200; i++) {
        const engine = await openEngine({ path: `${folder}/again.btrdb` });
        await engine.close();
      }
    } finally {
      starting.terminate();
      URL.revokeObjectURL(url);
      await Deno.remove(folder, { recursive: true });
    }
  },
});

// A folder that was copied as hard links while its database was open (`cp -al`) shares the lock file, and has
// an empty log once that writer has closed. When the next one was killed, the copy was opened without the log
// beside the first name: all that this writer had acknowledged was gone, by either name.
Deno.test("openEngine: hard links of all files of a database open it only where its log is", async () => {
  const folder = await Deno.makeTempDir();
  const [first, second] = [`${folder}/a/grid.btrdb`, `${folder}/b/grid.btrdb`];
  try {
    for (const name of ["a", "b"]) await Deno.mkdir(`${folder}/${name}`);
    const earlier = new LoneWriter(first, 1);
    await earlier.until(5);
    for (const suffix of ["", "-lock", "-wal"]) {
      await Deno.link(`${first}${suffix}`, `${second}${suffix}`);
    }
    await earlier.close();
    assertEquals((await Deno.stat(`${second}-wal`)).size, 0);
    const writer = new LoneWriter(first, 2);
    await writer.until(20);
    await writer.kill();
    const beside = new LoneWriter(second, 3);
    await beside.until(1);
    assertEquals(beside.end, "LOCKED");
    await beside.close();
    const expected = new Map([[1, earlier.acknowledged], [2, writer.acknowledged]]);
    await checkAll([second, first], expected);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
