/** `btrdb ingest` and `btrdb simulate pmu` as processes. */

import { assert, assertEquals } from "@std/assert";
import { simulatePmu } from "../../src/ingest/c37118/mod.ts";
import { btrdb, start, workspace } from "./support.ts";

/** Lines of a stream as they come. */
async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

Deno.test("ingest: an interrupt ends it with a true summary", async () => {
  await using space = await workspace();
  await using pmu = await simulatePmu({ id: 7, phasors: 3, rate: 100 });
  const target = `file:${space.path}/g.btrdb`;
  const child = start([
    ...["-d", target, "ingest", `c37118://${pmu.address}?id=7`, "--json"],
    ...["--every", "100ms", "--report", "100ms", "--metrics-port", "0", "--names", "plain"],
  ], { env: space.env });
  let last: { stored: number; sources: { dataFrames: number }[] } | undefined;
  let metrics = "";
  let isInterrupted = false;
  for await (const line of linesOf(child.stdout)) {
    const value = JSON.parse(line);
    if (value.event?.startsWith("Metrics on ")) metrics = value.event.slice("Metrics on ".length);
    if (value.stored === undefined) continue;
    if (!isInterrupted && value.stored > 600) {
      isInterrupted = true;
      const text = await (await fetch(metrics)).text();
      const stored = /^btrdb_ingest_stored_total (\d+)$/m.exec(text);
      assert(Number(stored![1]) >= value.stored);
      const health = await fetch(metrics.replace("/metrics", "/healthz"));
      assertEquals([health.status, await health.text()], [200, "ok\n"]);
      child.kill("SIGINT");
    }
    last = value;
  }
  const said = (await Array.fromAsync(linesOf(child.stderr))).join("\n");
  assertEquals((await child.status).code, 0);
  assert(said.includes(`${last!.stored.toLocaleString("en-US")} points stored`), said);
  const { stdout } = await btrdb(["-d", target, "ls", "-l", "--json"], { env: space.env });
  const streams = JSON.parse(stdout);
  const text = JSON.stringify(streams);
  assert(text.includes("VA magnitude") && text.includes("7_SIM 7"), text.slice(0, 500));
  assertEquals(last!.stored, last!.sources[0]!.dataFrames * 12);
});

Deno.test("simulate: what ingest reads from it, and counts at the end", async () => {
  await using space = await workspace();
  const child = start(["simulate", "pmu", "--listen", "127.0.0.1:0", "--id", "9", "--json"]);
  const lines = linesOf(child.stdout);
  const { port, id } = JSON.parse((await lines.next()).value!);
  assertEquals(id, 9);
  const target = `file:${space.path}/g.btrdb`;
  const ingest = start([
    ...["-d", target, "ingest", `127.0.0.1:${port}`, "--id", "9", "--json", "--report", "100ms"],
  ], { env: space.env });
  let isInterrupted = false;
  for await (const line of linesOf(ingest.stdout)) {
    if ((JSON.parse(line).stored ?? 0) > 0 && !isInterrupted) {
      isInterrupted = true;
      ingest.kill("SIGINT");
    }
  }
  await ingest.stderr.cancel();
  assertEquals((await ingest.status).code, 0);
  child.kill("SIGINT");
  const counts = JSON.parse((await lines.next()).value!);
  await lines.return(undefined);
  await child.stderr.cancel();
  assertEquals((await child.status).code, 0);
  assert(counts.frames > 0 && counts.missing === 0);
});

Deno.test("ingest and simulate: mistakes are named, before anything is opened", async () => {
  const cases: [string[], string][] = [
    [["ingest", "http://x"], 'Cannot use the address "http://x"'],
    [["ingest", "x?id=0"], 'id is "0", expected 1 to 65534'],
    [["ingest", "x", "--spool", "1zb"], "Cannot use --spool 1zb: expected a size"],
    [["ingest", "x", "--every", "1us"], "Cannot use --every 1us: expected 10ms to 24h"],
    [["ingest", "x", "x"], "Cannot ingest x twice"],
    [["simulate", "foo"], "Cannot simulate foo: expected pmu"],
    [["simulate", "pmu", "--missing", "2"], "Cannot use --missing 2: expected 0 to 1"],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await btrdb(["-d", "memory:", ...args]);
    assertEquals(code, 2, stderr);
    assert(stderr.includes(message), stderr);
  }
});
