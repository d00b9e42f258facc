/**
 * Keepalive probes beside answers that are read slowly. The answer of a probe comes behind all that its
 * client has still to read, so that a client that read 50 kB a second all the time lost its connection
 * every 40 s, and so did one that was stopped in a debugger while nobody waited for its place.
 */

import http2 from "node:http2";
import { assert, assertEquals } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { uuidText } from "../../../src/core/uuid.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { serve } from "../../../src/server/mod.ts";
import { Keepalive, type ProbedSession } from "../../../src/server/transport/keepalive.ts";
import { haveOpenssl, makeCertificate } from "../../support/certificate.ts";
import { createStream } from "../../support/engine.ts";
import { noisePoints } from "../../support/noise_points.ts";
import { until } from "../../support/until.ts";

const TIMES = { keepaliveMs: 2, keepaliveTimeoutMs: 2 };

/** An answer that waits for its client. */
class FakeAnswer {
  readonly writableLength = 100;
  close = (): void => {};

  once(_event: "close", listener: () => void): void {
    this.close = listener;
  }
}

/** A session that does nothing by itself. */
class FakeSession implements ProbedSession {
  readonly socket;
  destroyed = false;
  probes = 0;
  /** Effect of a probe. */
  onProbe = (_onAnswer: () => void): void => {};
  /** Begins an answer. */
  begin = (_answer: FakeAnswer): void => {};
  #closed = (): void => {};

  constructor(socket = { bytesRead: 0, bytesWritten: 0, writableLength: 0 }) {
    this.socket = socket;
  }

  ping(onAnswer: () => void): void {
    this.probes++;
    this.onProbe(onAnswer);
  }

  destroy(): void {
    this.destroyed = true;
    this.#closed();
  }

  once(_event: "close", listener: () => void): void {
    this.#closed = listener;
  }

  on(_event: "stream", listener: (answer: FakeAnswer) => void): void {
    this.begin = listener;
  }
}

Deno.test("Keepalive: ends a client that does not answer, and none that does", async () => {
  const [silent, answering] = [new FakeSession(), new FakeSession()];
  answering.onProbe = (onAnswer) => {
    answering.socket.bytesRead += 17;
    onAnswer();
  };
  for (const session of [silent, answering]) new Keepalive(session, TIMES);
  await until("the silent one is ended", () => silent.destroyed);
  await until("the other one is probed", () => answering.probes > 10);
  assertEquals([silent.probes, answering.destroyed], [1, false]);
  answering.destroy();
});

// The system took the bytes of the probe, which counted as a sign of the client: one that was suspended kept
// its connection for 100 s, and one that had stopped reading for more than 190 s.
Deno.test("Keepalive: a probe is no sign of the client that it is sent to", async () => {
  let looks = 0;
  const silent = new FakeSession({
    get bytesRead() {
      looks++;
      return 0;
    },
    bytesWritten: 0,
    writableLength: 0,
  });
  silent.onProbe = () => silent.socket.bytesWritten += 17 + 22;
  new Keepalive(silent, TIMES);
  await until("it is ended", () => silent.destroyed);
  // At the beginning, before the probe, and after it; each look reads the number twice at most.
  assert(looks <= 6, `${looks} looks`);
});

Deno.test("Keepalive: bytes that are taken are a sign of a client whose answer to the probe is behind them", async () => {
  let waiting = 100_000;
  const slow = new FakeSession({
    bytesRead: 0,
    bytesWritten: waiting,
    // Less at each look, until the client stops.
    get writableLength() {
      return waiting > 20_000 ? waiting -= 1_000 : waiting;
    },
  });
  new Keepalive(slow, TIMES, 20);
  await until("it is ended", () => slow.destroyed);
  assertEquals([waiting, slow.probes], [20_000, 1]);
});

Deno.test("Keepalive: a client that takes nothing keeps an answer that waits for it for longer", async () => {
  const stopped = new FakeSession({ bytesRead: 0, bytesWritten: 100, writableLength: 100 });
  new Keepalive(stopped, TIMES, Infinity);
  await until("it is probed", () => stopped.probes === 1);
  await new Promise((resolve) => setTimeout(resolve, 20 * TIMES.keepaliveTimeoutMs));
  assertEquals(stopped.destroyed, false);
  stopped.destroy();
});

Deno.test("Keepalive: an answer waits also for the window of a client that is stopped", async () => {
  // The window was used up before the buffers of the system were full: nothing waited for the socket.
  const stopped = new FakeSession();
  const answer = new FakeAnswer();
  new Keepalive(stopped, TIMES, Infinity);
  stopped.begin(answer);
  await until("it is probed", () => stopped.probes === 1);
  await new Promise((resolve) => setTimeout(resolve, 20 * TIMES.keepaliveTimeoutMs));
  assertEquals(stopped.destroyed, false);
  answer.close();
  await until("it is ended once nothing waits for it", () => stopped.destroyed);
});

/** So many that the answer is longer than all buffers between the two sides. */
const POINTS = 1 << 22;
const INSERT = 1 << 20;

/** A proxy that passes nothing on to clients while it is told to hold. */
function holdingProxy(port: number) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const proxy = {
    port: listener.addr.port,
    connections: 0,
    bytes: 0,
    /** Resolves when bytes may be passed on. */
    released: Promise.resolve(),
    close: () => listener.close(),
  };
  const pump = async (from: Deno.Conn, to: Deno.Conn, isAnswer: boolean): Promise<void> => {
    const buffer = new Uint8Array(65_536);
    try {
      for (let n = await from.read(buffer); n !== null; n = await from.read(buffer)) {
        if (isAnswer) {
          proxy.bytes += n;
          await proxy.released;
        }
        for (let at = 0; at < n;) at += await to.write(buffer.subarray(at, n));
      }
    } catch {
      // Either side has closed the connection.
    } finally {
      for (const side of [from, to]) {
        try {
          side.close();
        } catch {
          // The other direction was quicker.
        }
      }
    }
  };
  const accept = async (): Promise<void> => {
    for await (const client of listener) {
      proxy.connections++;
      const server = await Deno.connect({ hostname: "127.0.0.1", port });
      void pump(client, server, false);
      void pump(server, client, true);
    }
  };
  void accept();
  return proxy;
}

Deno.test("serve: a client that is stopped in the middle of an answer keeps its connection", async () => {
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  const { times, values } = noisePoints(POINTS);
  for (let at = 0; at < POINTS; at += INSERT) {
    const part = {
      times: times.subarray(at, at + INSERT),
      values: values.subarray(at, at + INSERT),
    };
    await engine.insert({ uuid, columns: part });
  }
  const probing = { keepaliveMs: 100, keepaliveTimeoutMs: 3_000 };
  await using server = await serve(engine, { port: 0, hostname: "127.0.0.1", ...probing });
  const proxy = holdingProxy(server.port);
  try {
    await using db = await connect(`127.0.0.1:${proxy.port}`);
    let count = 0;
    let release = (): void => {};
    for await (const { times } of db.streamFromUUID(uuidText(uuid)).rawValues(0n, 1n << 60n)) {
      if (count === 0) {
        proxy.released = new Promise((resolve) => release = resolve);
        // Longer than a probe may take.
        setTimeout(release, 7_000);
      }
      count += times.length;
    }
    assertEquals([count, proxy.connections], [POINTS, 1]);
  } finally {
    proxy.close();
  }
});

// Its window is used up long before the buffers of the system are full, so nothing waits for the socket.
Deno.test("serve http: a client that is stopped while its window is used up keeps its connection", async () => {
  if (!haveOpenssl()) return console.warn("skipped, there is no openssl");
  const folder = await Deno.makeTempDir();
  const { cert, key } = await makeCertificate(folder);
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  await engine.insert({ uuid, columns: noisePoints(50_000) });
  const options = { port: 0, http: { port: 0 }, tls: { cert, key } };
  await using server = await serve(engine, {
    ...options,
    keepaliveMs: 100,
    keepaliveTimeoutMs: 100,
  });
  const proxy = holdingProxy(server.httpPort!);
  const session = http2.connect(`https://127.0.0.1:${proxy.port}`, { rejectUnauthorized: false });
  try {
    session.on("error", () => {});
    const range = "start=0&end=1000000000000000000";
    const path = `/api/v1/data.csv?stream=${uuidText(uuid)}&${range}`;
    const request = session.request({ ":path": path });
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (part) => {
      if (text === "") {
        // Longer than a probe may take, many times.
        proxy.released = new Promise((resolve) => setTimeout(resolve, 1_500));
      }
      text += part;
    });
    const error = await new Promise((resolve) => {
      request.once("error", resolve);
      request.once("close", () => resolve(undefined));
    });
    assertEquals([error, text.trimEnd().split("\n").length, proxy.connections], [
      undefined,
      50_001,
      1,
    ]);
  } finally {
    session.destroy();
    proxy.close();
    await Deno.remove(folder, { recursive: true });
  }
});

// Browsers that had gone without a word, as a phone does that leaves its network, kept their places among the
// connections of the HTTP port for as long as the server ran.
Deno.test("serve http: a client of HTTP/2 that has gone without a word leaves its place", async () => {
  if (!haveOpenssl()) return console.warn("skipped, there is no openssl");
  const folder = await Deno.makeTempDir();
  const { cert, key } = await makeCertificate(folder);
  await using engine = await openEngine();
  await using server = await serve(engine, {
    port: 0,
    http: { port: 0 },
    tls: { cert, key },
    keepaliveMs: 100,
    keepaliveTimeoutMs: 100,
  });
  const connections = () => /^btrdb_server_connections (\d+)$/m.exec(server.metrics())![1];
  const proxy = holdingProxy(server.httpPort!);
  const session = http2.connect(`https://127.0.0.1:${proxy.port}`, { rejectUnauthorized: false });
  try {
    session.on("error", () => {});
    const closed = new Promise<void>((resolve) => session.once("close", () => resolve()));
    await new Promise<void>((resolve) => {
      const request = session.request({ ":path": "/api/v1/streams.json" });
      request.on("error", () => {});
      request.on("close", () => resolve());
      request.resume();
    });
    let release = (): void => {};
    proxy.released = new Promise((resolve) => release = resolve);
    await until("its place is free", () => connections() === "0");
    release();
    session.destroy();
    await closed;
  } finally {
    proxy.close();
    await Deno.remove(folder, { recursive: true });
  }
});
