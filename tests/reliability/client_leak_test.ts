/**
 * Ten thousand calls of every kind, ended in every way, leave no memory behind, and the process ends
 * by itself. `LEAK_CALLS=100000` makes more of them.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { ServedDatabase } from "./support/served_database.ts";

const ROOT = new URL("../../", import.meta.url);
const CALLS = Number(Deno.env.get("LEAK_CALLS") ?? 10_000);

/** Bytes the heap may grow by, whatever the number of calls. */
const ALLOWANCE = 4 << 20;

/** Runs in a process of its own, in which the garbage can be collected. */
function program(target: string, calls: number): string {
  return `
    import { connect } from "@btrdb/btrdb";
    const db = await connect(${JSON.stringify(target)}, { retry: { attempts: 3 } });
    const stream = await db.create(crypto.randomUUID(), crypto.randomUUID());
    const times = BigInt64Array.from({ length: 20_000 }, (_, i) => BigInt(i));
    await stream.insert({ times, values: new Float64Array(20_000) });
    await stream.flush();
    const missing = db.streamFromUUID(crypto.randomUUID());
    const { signal } = new AbortController();

    const kinds = [
      () => stream.nearest(5n, { signal, timeoutMs: 60_000 }),
      () => stream.version({ signal }),
      () => missing.version({ signal }).catch(() => {}),
      () => stream.insert([], { signal }),
      () => stream.windows(0n, 20_000n, 10_000n, { signal }).collect(),
      async () => {
        for await (const _ of stream.rawValues(0n, 20_000n, { signal })) break;
      },
      async () => {
        const abort = new AbortController();
        const query = stream.rawValues(0n, 20_000n, { signal: abort.signal });
        setTimeout(() => abort.abort());
        await query.collect().catch(() => {});
      },
      () => stream.nearest(5n, { timeoutMs: 0.01 }).catch(() => {}),
    ];
    const work = async (n) => {
      for (let i = 0; i < n; i += 20) {
        await Promise.all(Array.from({ length: 20 }, (_, k) => kinds[(i + k) % kinds.length]()));
      }
    };
    const heap = async () => {
      for (let i = 0; i < 5; i++) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        globalThis.gc();
      }
      const { heapUsed, external } = Deno.memoryUsage();
      return heapUsed + external;
    };
    await work(1_000);
    const before = await heap();
    await work(${calls});
    const after = await heap();
    await db.close();
    console.log(JSON.stringify({ before, after }));
  `;
}

async function run(target: string): Promise<{ before: number; after: number }> {
  const file = await Deno.makeTempFile({ suffix: ".js" });
  try {
    await Deno.writeTextFile(file, program(target, CALLS));
    const config = new URL("deno.json", ROOT).pathname;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--config", config, "--v8-flags=--expose-gc", file],
      cwd: ROOT,
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    return JSON.parse(new TextDecoder().decode(stdout));
  } finally {
    await Deno.remove(file);
  }
}

function check({ before, after }: { before: number; after: number }): void {
  const grown = after - before;
  assert(grown < ALLOWANCE, `the heap grew by ${grown} bytes over ${CALLS} calls`);
}

Deno.test("BTrDB: no leak in memory", async () => check(await run("memory:")));

// The server has a process of its own: memory that it gives back later is none of this test's timers.
Deno.test("BTrDB: no leak over gRPC", async () => {
  const server = await ServedDatabase.start("memory:", 0);
  try {
    check(await run(server.address));
  } finally {
    await server.stop();
  }
});
