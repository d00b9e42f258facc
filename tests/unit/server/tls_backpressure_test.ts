/** TLS connections that the server does not read for a while (docs/security.md). */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import tls from "node:tls";
import { assertEquals, assertLess } from "@std/assert";
import { Port } from "../../../src/server/transport/port.ts";
import { haveOpenssl, makeCertificate } from "../../support/certificate.ts";
import { settled, until } from "../../support/until.ts";

const PIECE = Buffer.alloc(64 << 10, 7);
const ALL_BYTES = 64 << 20;

/** Sends pieces, one when the system has taken the one before. */
async function send(client: Socket, onPiece: (bytes: number) => void): Promise<void> {
  for (let sent = 0; sent < ALL_BYTES; sent += PIECE.length) {
    await new Promise<void>((resolve) => client.write(PIECE, () => resolve()));
    onPiece(sent + PIECE.length);
  }
}

// A connection over TLS of which enough waited was not read, and yet the server took and kept all that its
// client sent: 1.1 GB in four seconds, of a client that needs no key.
Deno.test({
  name: "propagateReadStop: a client whose bytes are not read has to wait, and nothing is lost",
  ignore: !haveOpenssl(),
  fn: async () => {
    const directory = await Deno.makeTempDir();
    const files = await makeCertificate(directory);
    const cert = await Deno.readTextFile(files.cert);
    const key = await Deno.readTextFile(files.key);
    const accepted = Promise.withResolvers<Socket>();
    let received = 0;
    const port = await Port.open({
      hostname: "127.0.0.1",
      port: 0,
      certificate: { cert, key },
      protocols: [],
      maxConnections: 10,
      maxConnectionsPerAddress: 10,
      onConnection: (socket) => {
        socket.on("data", (bytes: Uint8Array) => {
          if (received === 0) socket.pause();
          received += bytes.length;
        });
        accepted.resolve(socket);
      },
    });
    const client = tls.connect({
      host: "127.0.0.1",
      port: port.number,
      ca: cert,
      servername: "localhost",
    });
    await new Promise<void>((resolve) => client.once("secureConnect", () => resolve()));
    let sent = 0;
    const sending = send(client, (bytes) => sent = bytes);
    const socket = await accepted.promise;
    await until("the first bytes arrive", () => received > 0);
    assertLess(await settled(() => sent), ALL_BYTES / 2);
    socket.resume();
    await sending;
    const ended = new Promise<void>((resolve) => socket.once("end", () => resolve()));
    client.end();
    await ended;
    assertEquals(received, ALL_BYTES);
    client.destroy();
    await port.close(Promise.resolve());
    await Deno.remove(directory, { recursive: true });
  },
});
