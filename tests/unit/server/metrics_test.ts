import { assertEquals, assertStringIncludes } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { Metrics } from "../../../src/server/metrics.ts";

function record(metrics: Metrics, rpc: string, code: string, seconds: number): void {
  metrics.record({ service: "v5api.BTrDB", rpc, code, seconds, bytesReceived: 10, bytesSent: 100 });
}

Deno.test("Metrics counts calls by how they ended", () => {
  const metrics = new Metrics([]);
  record(metrics, "Insert", "OK", 0.001);
  record(metrics, "Insert", "OK", 0.001);
  record(metrics, "Insert", "414", 0.001);
  const text = metrics.text();
  const series = 'btrdb_server_calls_total{service="v5api.BTrDB",rpc="Insert"';
  assertStringIncludes(text, `${series},code="OK"} 2\n`);
  assertStringIncludes(text, `${series},code="414"} 1\n`);
  assertStringIncludes(text, "btrdb_server_sent_bytes_total 300\n");
  assertStringIncludes(text, "btrdb_server_received_bytes_total 30\n");
});

Deno.test("Metrics sums up durations in buckets that include the smaller ones", () => {
  const metrics = new Metrics([]);
  for (const seconds of [0.0004, 0.002, 0.3, 100]) record(metrics, "Nearest", "OK", seconds);
  const bucket = (le: string) => {
    const line = metrics.text().split("\n").find((line) => line.includes(`le="${le}"`));
    return Number(line?.split(" ").at(-1));
  };
  assertEquals(["0.0005", "0.0025", "0.25", "0.5", "10", "+Inf"].map(bucket), [1, 2, 2, 3, 3, 4]);
});

Deno.test("Metrics reads gauges when it is asked", () => {
  let open = 1;
  const metrics = new Metrics([{ name: "open", help: "Open things.", read: () => open }]);
  open = 7;
  assertStringIncludes(metrics.text(), "# HELP open Open things.\n# TYPE open gauge\nopen 7\n");
});

Deno.test("Metrics writes one HELP and one TYPE before each name", () => {
  const metrics = new Metrics([]);
  record(metrics, "Nearest", "OK", 0.1);
  record(metrics, "Windows", "OK", 0.1);
  const names = [...metrics.text().matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
  assertEquals(names.length, new Set(names).size);
  for (const line of metrics.text().split("\n").filter((line) => !line.startsWith("#"))) {
    if (line !== "") assertEquals(/^[a-z_]+(\{[^}]*\})? [0-9.e+-]+$/.test(line), true, line);
  }
});

Deno.test("Metrics counts errors by their status, and takes no label from elsewhere", () => {
  const metrics = new Metrics([]);
  for (const status of ["MOVED", "MOVED", 'x"} 1\nforged 2', "a".repeat(100), "Ünicode"]) {
    metrics.recordError(new BTrDBError("Cannot write", { status }));
  }
  metrics.recordError(new TypeError("x is undefined"));
  const lines = metrics.text().split("\n").filter((line) =>
    /^(btrdb_server_err|forged)/.test(line)
  );
  assertEquals(lines, [
    'btrdb_server_errors_total{status="MOVED"} 2',
    'btrdb_server_errors_total{status="OTHER"} 3',
    'btrdb_server_errors_total{status="INTERNAL"} 1',
  ]);
});
