import { createServer, type Socket } from "node:net";
import { once } from "node:events";
import { assertEquals } from "@std/assert";
import { onSilence } from "../../../src/core/silence_timer.ts";

/** A thread that connects, and sends a byte when it is told to. */
const SENDER = `
  const { connect } = await import("node:net");
  const { port, flag } = await new Promise((done) => onmessage = ({ data }) => done(data));
  const socket = connect(port, "127.0.0.1", async () => {
    Atomics.wait(flag, 0, 0);
    if (flag[0] === 1) await new Promise((done) => socket.write("x", done));
    Atomics.store(flag, 1, 1);
    Atomics.notify(flag, 1);
  });
`;

/** Tells whether a connection was ended by a timer that was due while this process was busy. */
async function isEnded(isSent: boolean): Promise<boolean> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const flag = new Int32Array(new SharedArrayBuffer(8));
  const url = URL.createObjectURL(new Blob([SENDER], { type: "text/javascript" }));
  const sender = new Worker(url, { type: "module" });
  sender.postMessage({ port: (server.address() as { port: number }).port, flag });
  const [socket] = await once(server, "connection") as [Socket];
  const ended = Promise.withResolvers<boolean>();
  const stop = onSilence(20, () => ended.resolve(true));
  socket.once("data", () => {
    stop();
    ended.resolve(false);
  });
  // Busy until the time has passed and the byte, if any, is in the socket.
  const due = performance.now() + 40;
  Atomics.store(flag, 0, isSent ? 1 : 2);
  Atomics.notify(flag, 0);
  Atomics.wait(flag, 1, 0);
  while (performance.now() < due);
  const result = await ended.promise;
  sender.terminate();
  URL.revokeObjectURL(url);
  socket.destroy();
  server.close();
  await once(server, "close");
  return result;
}

Deno.test("onSilence: bytes that came while the process was busy count", async () => {
  // A busy server closed connections whose first request had been in the socket for seconds.
  for (let i = 0; i < 10; i++) assertEquals(await isEnded(true), false);
});

Deno.test("onSilence: silence ends it, and what is heard in time does not", async () => {
  assertEquals(await isEnded(false), true);
  let ends = 0;
  const stop = onSilence(0, () => ends++);
  stop();
  stop();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(ends, 0);
});
