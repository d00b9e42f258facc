/** First messages of TLS handshakes. */

import type { Buffer } from "node:buffer";
import net, { type AddressInfo } from "node:net";
import tls from "node:tls";

/** The ClientHello of this runtime, as it is on the wire. */
export async function clientHello(): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const listener = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (bytes: Buffer) => {
      socket.destroy();
      resolve(bytes);
    });
  });
  await new Promise<void>((listening) => listener.listen(0, "127.0.0.1", listening));
  const { port } = listener.address() as AddressInfo;
  const client = tls.connect({ port, host: "127.0.0.1", ALPNProtocols: ["h2"] });
  client.on("error", () => {});
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  const hello = await promise;
  client.destroy();
  await closed;
  await new Promise<void>((resolve) => listener.close(() => resolve()));
  return hello;
}
