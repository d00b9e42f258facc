/**
 * Go's own gRPC library, unchanged, against `serve`: another HTTP/2 implementation with its own ideas
 * of flow control, compression, keepalive and cancelling. What it does is in `go/`.
 */

import { assert, assertEquals } from "@std/assert";
import { openEngine } from "../../src/engine/mod.ts";
import { serve } from "../../src/server/mod.ts";
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

const ignore = !(await have("go", "version"));
if (ignore) console.warn("go is not here: the Go client is skipped");

Deno.test({
  name: "Go's gRPC library works against both protocols of serve",
  ignore,
  async fn() {
    const program = `${await cacheFolder("go")}/interop`;
    const built = await run("go", ["build", "-buildvcs=false", "-o", program, "."], {
      cwd: PROGRAM,
    });
    assert(built.success, built.text);
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
    assertEquals([...text.matchAll(/^ok (.*)$/gm)].map((match) => match[1]), expected);
    assertEquals(unexpected, []);
  },
});
