/**
 * Go's own gRPC library, unchanged, against `serve`: another HTTP/2 implementation with its own
 * ideas of flow control, compression, keepalive and cancelling. Its program is in `go/`: the calls
 * of both services, and the sequence of calls by which BTrDB's own Go driver connects, finds the
 * member of a stream and goes on after errors. The driver itself cannot be fetched from the module
 * proxies.
 */

import { assert, assertEquals } from "@std/assert";
import { BTrDBError, ErrorCode } from "../../src/core/errors.ts";
import type { Endpoint } from "../../src/endpoint/endpoint.ts";
import { openEngine } from "../../src/engine/mod.ts";
import { serve } from "../../src/server/mod.ts";
import { override } from "../support/override_endpoint.ts";
import { cacheFolder, have, run } from "./support/cache.ts";

const PROGRAM = new URL("go/", import.meta.url).pathname;
const PROTOCOL = new URL("../../proto/", import.meta.url).pathname;

const CHECKS = [
  "info",
  "insert and read",
  "windows",
  "metadata",
  "delete and obliterate",
  "errors",
  "cancel",
  "health",
  "sql",
];

const DRIVER_CHECKS = [
  "connect",
  "hash",
  "mash",
  "calls",
  "errors",
  "wrong member",
  "restart",
];

const ignore = !(await have("go", "version"));
if (ignore) console.warn("go is not here: the Go client is skipped");

/** The program, built. */
async function built(): Promise<string> {
  const program = `${await cacheFolder("go")}/interop`;
  const { success, text } = await run("go", ["build", "-buildvcs=false", "-o", program, "."], {
    cwd: PROGRAM,
  });
  assert(success, text);
  return program;
}

/** Names of the checks that a program says it has made. */
function checksIn(text: string): string[] {
  return [...text.matchAll(/^ok (.*)$/gm)].map((match) => match[1]!);
}

Deno.test({
  name: "Go's gRPC library works against both protocols of serve",
  ignore,
  async fn() {
    const program = await built();
    const unexpected: unknown[] = [];
    await using endpoint = await openEngine();
    await using server = await serve(endpoint, {
      port: 0,
      onError: (error) => unexpected.push(error),
    });
    const { success, text } = await run(program, [server.address, PROTOCOL]);
    assert(success, text);
    const expected = ["grpcinterface.BTrDB", "v5api.BTrDB"].flatMap((service) =>
      CHECKS.map((check) => `${service} ${check}`)
    );
    assertEquals(checksIn(text), expected);
    assertEquals(unexpected, []);
  },
});

/** The engine, whose first two answers to `nearest` are that this is the wrong member, and that none is right. */
function withRefusals(engine: Endpoint): Endpoint {
  const refusals = [ErrorCode.WrongEndpoint, ErrorCode.ClusterDegraded];
  return override(engine, {
    async nearest(request, options) {
      const code = refusals.shift();
      if (code !== undefined) throw new BTrDBError("ask for the mash", { code });
      return await engine.nearest(request, options);
    },
  });
}

for (const host of ["127.0.0.1", "::1"]) {
  Deno.test({
    name: `the sequence of calls of BTrDB's Go driver works, also across a restart: ${host}`,
    ignore,
    async fn() {
      const program = await built();
      const unexpected: unknown[] = [];
      await using engine = await openEngine();
      const endpoint = withRefusals(engine);
      const start = (port: number) =>
        serve(endpoint, { hostname: host, port, onError: (error) => unexpected.push(error) });
      let server = await start(0);
      // Nobody is at the first of the bootstraps.
      const bootstraps = `127.0.0.1:1,${server.address}`;
      const command = new Deno.Command(program, {
        args: [bootstraps, PROTOCOL, "driver"],
        stdout: "piped",
        stderr: "piped",
      });
      const child = command.spawn();
      const errors = new Response(child.stderr).text();
      let text = "";
      let restarted = false;
      for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
        text += part;
        if (restarted || !text.includes("restart now")) continue;
        restarted = true;
        await server.stop({ graceful: false });
        server = await start(server.port);
      }
      const { success } = await child.status;
      await server.stop();
      assert(success, text + await errors);
      assertEquals(checksIn(text), DRIVER_CHECKS.map((check) => `driver ${check}`));
      assertEquals([await errors, unexpected], ["", []]);
    },
  });
}
