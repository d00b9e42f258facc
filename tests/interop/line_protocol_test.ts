/**
 * Clients of InfluxDB write into `serve` unchanged: `influx` 1, three Python packages and the one of
 * npm. Each writes the same two points of each field; what is stored is looked at bit by bit.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { connect, MAX_TIME, MIN_TIME } from "@btrdb/btrdb";
import { serve } from "../../src/server/mod.ts";
import { have, pythonWith, run } from "./support/cache.ts";

const PROGRAM = new URL("python/influx_clients.py", import.meta.url).pathname;
const PACKAGES = ["influxdb==5.3.2", "influxdb-client==1.50.0", "influxdb3-python==0.21.0"];
const NPM = "npm:@influxdata/influxdb-client@1.35.0";
const T = 1_700_000_000_123_456_789n;

const noPython = !(await have("python3", "-c", "import venv, ensurepip"));
if (noPython) console.warn("skipped, python3 with venv and pip is not here");
const noInflux = !(await have("influx", "-version"));
if (noInflux) console.warn("skipped, influx (influxdb-client) is not here");

/** Every point that `write` stores, given the port. */
async function stored(write: (port: number) => Promise<void>): Promise<string[]> {
  await using db = await connect("memory:");
  await using server = await serve(db, {
    port: 0,
    apiKeys: [{ key: "secret", capabilities: ["insert"] }],
    http: { port: 0, write: true },
  });
  await write(server.httpPort!);
  const found: string[] = [];
  for await (const stream of db.lookupStreams("", { isCollectionPrefix: true })) {
    const path = `${await stream.collection()}/${(await stream.tags()).name}`;
    const { times, values } = await stream.rawValues(MIN_TIME, MAX_TIME - 1n).collect();
    times.forEach((time, i) => found.push(`${path} ${time} ${values[i]}`));
  }
  return found.sort();
}

/** The points of each field at both times. */
function expected(collection: string): string[] {
  return [["n", 3], ["ok", 1], ["v", 0.1]].flatMap(([name, value]) =>
    [T, T + 1n].map((time) => `${collection}/${name} ${time} ${value}`)
  );
}

for (
  const [client, refusal] of [
    ["influxdb", "partial write: unable to parse 'cpu\\\\ load,"],
    ["influxdb-client", '400 {"code":"invalid","message":"'],
    ["influxdb3-python", "cannot be stored without rounding"],
  ] as const
) {
  Deno.test({
    name: `serve http write: ${client} of PyPI`,
    ignore: noPython,
    async fn() {
      const python = await pythonWith("influx", PACKAGES);
      const points = await stored(async (port) => {
        const { success, text } = await run(python, [PROGRAM, client, String(port), String(T)]);
        assert(success, text);
        assertStringIncludes(text, refusal);
      });
      assertEquals(points, expected("grid/cpu load/7,=é/a b"));
    },
  });
}

Deno.test({
  name: "serve http write: influx 1, one line and a file of many",
  ignore: noInflux,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const points = await stored(async (port) => {
        const own = ["-host", "127.0.0.1", "-port", String(port)];
        const args = [...own, "-username", "any", "-password", "secret"];
        const line = String.raw`cpu\ load,host=a\ b v=0.1,n=3i,ok=t,s="x \"y\"" ${T}`;
        const one = await run("influx", [
          ...args,
          "-database",
          "grid",
          "-execute",
          `INSERT ${line}`,
        ]);
        assert(one.success && one.text === "", one.text);
        await Deno.writeTextFile(
          `${folder}/x.lp`,
          "# DDL\nCREATE DATABASE grid\n\n# DML\n# CONTEXT-DATABASE: grid\n" +
            `cpu\\ load,host=a\\ b v=0.1,n=3i,ok=true ${T + 1n}\n`,
        );
        const file = await run("influx", [
          ...args,
          "-import",
          `-path=${folder}/x.lp`,
          "-precision=ns",
        ]);
        assert(file.success, file.text);
        assertStringIncludes(file.text, "Processed 1 inserts");
        assertStringIncludes(file.text, "Failed 0 inserts");
      });
      assertEquals(points, expected("grid/cpu load/a b"));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("serve http write: @influxdata/influxdb-client of npm", async () => {
  const { InfluxDB, Point } = await import(NPM);
  const points = await stored(async (port) => {
    const influx = new InfluxDB({ url: `http://127.0.0.1:${port}`, token: "secret" });
    const api = influx.getWriteApi("any", "grid", "ns", { gzipThreshold: 100, maxRetries: 0 });
    for (const time of [T, T + 1n]) {
      const point = new Point("cpu load").tag("host", "a b").floatField("v", 0.1)
        .intField("n", 3).booleanField("ok", true).stringField("s", 'x "y"').timestamp(
          String(time),
        );
      api.writePoint(point);
    }
    await api.close();
  });
  assertEquals(points, expected("grid/cpu load/a b"));
});
