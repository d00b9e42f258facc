/** A server whose certificate is renewed while clients use it. */

import { Buffer } from "node:buffer";
import { credentials } from "@grpc/grpc-js";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { connect as tlsConnect } from "node:tls";
import { openEngine } from "../../src/engine/mod.ts";
import { serve } from "../../src/server/mod.ts";
import { haveOpenssl, makeCertificate } from "../support/certificate.ts";
import { RawClient } from "../support/grpc_client.ts";
import { until } from "../support/until.ts";

const INFO = "/v5api.BTrDB/Info";

/** Serial number of the certificate that a new connection sees. */
function serialAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, rejectUnauthorized: false, ALPNProtocols: ["h2"] };
    const socket = tlsConnect(options, () => {
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      resolve(serialNumber);
    });
    socket.on("error", reject);
  });
}

async function renewed(port: number, old: string): Promise<string> {
  let serial = old;
  await until("the certificate is a new one", async () => {
    serial = await serialAt(port);
    return serial !== old;
  });
  return serial;
}

/** A connection that calls without pause until it is told to end; its calls, and those that failed. */
class Caller {
  readonly #client: RawClient;
  readonly #work: Promise<void>;
  readonly failures: string[] = [];
  calls = 0;
  #ended = false;

  constructor(port: number, authority: string) {
    const roots = Buffer.from(authority);
    this.#client = new RawClient(`localhost:${port}`, credentials.createSsl(roots));
    this.#work = this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      const { code, details } = await this.#client.call(INFO, new Uint8Array());
      if (code !== 0) this.failures.push(`${code} ${details}`);
      this.calls++;
    }
  }

  /** So many more calls. */
  async more(calls: number): Promise<void> {
    const goal = this.calls + calls;
    await until("the calls were made", () => this.calls >= goal);
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#work;
    this.#client[Symbol.dispose]();
  }
}

Deno.test({
  name: "serve takes up new certificates under load, without a call that fails",
  ignore: !haveOpenssl(),
  async fn() {
    const folder = await Deno.makeTempDir();
    const { cert, key } = await makeCertificate(folder);
    const first = await Deno.readTextFile(cert);
    await using endpoint = await openEngine();
    await using server = await serve(endpoint, {
      port: 0,
      tls: { cert, key, reloadEveryMs: 20 },
    });
    const old = new Caller(server.port, first);
    await old.more(20);
    const serial = await serialAt(server.port);

    const next = await makeCertificate(folder, "next");
    await Deno.rename(next.cert, cert);
    await old.more(50);
    assertEquals(await serialAt(server.port), serial, "a pair that does not belong together");
    await Deno.rename(next.key, key);
    assertNotEquals(await renewed(server.port, serial), serial);

    const fresh = new Caller(server.port, await Deno.readTextFile(cert));
    await Promise.all([fresh.more(20), old.more(20)]);
    await Deno.writeTextFile(cert, "half of a cert");
    await fresh.more(50);
    assert(await serialAt(server.port) !== "");
    await Promise.all([fresh.end(), old.end()]);
    assertEquals([...old.failures, ...fresh.failures], []);
    await Deno.remove(folder, { recursive: true });
  },
});
