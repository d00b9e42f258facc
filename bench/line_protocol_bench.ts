/**
 * Line protocol: to columns, beside a parser in C with a Python interface, and over HTTP into a file
 * of `serve` in a process of its own, durable when it is acknowledged.
 */

import { groupPoints } from "../src/kernel/group_points.ts";
import { LineParser } from "../src/kernel/line_parser.ts";
import { ServerProcess } from "../tests/support/server_process.ts";
import { job } from "./support/job.ts";
import { PythonPeer } from "./support/python_peer.ts";

/** Lines of a body, as many as clients send at once, and fields of each. */
const LINES = 5_000;
const FIELDS = 10;
const BODIES = 10;
const IN_FLIGHT = 2;
const FIRST = 1_700_000_000_000_000_000n;

/** A body like those of Telegraf; `hosts` times ten streams. */
function body(hosts: number, from: bigint): Uint8Array<ArrayBuffer> {
  const lines = Array.from({ length: LINES }, (_, i) => {
    const time = from + BigInt(Math.floor(i / hosts)) * 1_000_000_000n;
    const fields = Array.from({ length: FIELDS }, (_, f) => {
      return `usage_${f}=${((i * 7919 + f * 104_729) % 1e8 / 1e6).toFixed(6)}`;
    });
    return `cpu,host=server-${i % hosts},region=eu-west,cpu=cpu-total ${
      fields.join(",")
    } ${time}\n`;
  });
  return new TextEncoder().encode(lines.join(""));
}

job({
  name: "50,000 points of line protocol to columns",
  work: { count: LINES * FIELDS, unit: "points" },
  setup: async () => {
    const bytes = body(20, FIRST);
    const file = await Deno.makeTempFile();
    await Deno.writeFile(file, bytes);
    const packages = ["line-protocol-parser==2.0.1"];
    const script = "./line_protocol_parse.py";
    const python = await PythonPeer.startScript("line-protocol", packages, script, [file]);
    return { bytes, file, python };
  },
  teardown: async ({ file, python }) => {
    await python?.close();
    await Deno.remove(file);
  },
  entries: [
    {
      name: "kernel, a column for each stream",
      run: ({ bytes }) => {
        const parser = new LineParser({ unit: 1n, now: FIRST });
        let points = 0;
        for (const batch of [...parser.push(bytes), ...parser.finish()]) {
          const columnsOf = groupPoints(batch.columns, batch.groups, batch.series.length);
          for (let i = 0; i < batch.series.length; i++) points += columnsOf(i).times.length;
        }
        if (points !== LINES * FIELDS) throw new Error(`${points} points`);
      },
    },
    {
      name: "line-protocol-parser 2.0.1 (C), a dict for each line",
      run: async ({ python }) => {
        if (python === undefined) throw new Error("there is no Python here");
        await python.run("parse");
      },
    },
  ],
});

for (const hosts of [20, 1_000]) {
  job({
    name: `durable writes of ${BODIES} bodies of 5,000 lines, ${hosts * FIELDS} streams`,
    work: { count: LINES * FIELDS * BODIES, unit: "points" },
    setup: async () => {
      const server = await ServerProcess.start("bench/support/serve_file.ts", ["1000"]);
      return { server, from: FIRST };
    },
    teardown: ({ server }) => server[Symbol.asyncDispose](),
    entries: [{
      name: `serve, ${IN_FLIGHT} requests at a time`,
      run: async (state) => {
        const bodies = Array.from({ length: BODIES }, () => {
          state.from += 1_000_000_000_000n;
          return body(hosts, state.from);
        });
        const started = performance.now();
        await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
          for (let next = bodies.shift(); next !== undefined; next = bodies.shift()) {
            const url = `http://127.0.0.1:${state.server.ports[1]}/write?db=bench`;
            const response = await fetch(url, { method: "POST", body: next });
            if (response.status !== 204) throw new Error(await response.text());
          }
        }));
        // deno-lint-ignore no-console -- the bodies are made in the same run, and do not count
        console.error(`  without the making of the bodies: ${performance.now() - started | 0} ms`);
      },
    }],
    goalMs: LINES * FIELDS * BODIES / 500,
    note: "each acknowledged once it is on disk; the making of the bodies is in the time",
  });
}
