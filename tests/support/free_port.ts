/**
 * Ports that stay free until they are used. One that the system has chosen, and that was closed again, may
 * be the next one that it gives to a test that runs beside; these are below those that it chooses.
 */

import { createSocket } from "node:dgram";

/** Below the ports that systems give to whoever asks for any: from 32,768 on Linux, 49,152 elsewhere. */
const [FIRST, END] = [20_000, 32_000];

/** Those that were given: whoever has one may not listen yet. */
const given = new Set<number>();

function anyPort(): number {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (END - FIRST));
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}

/** A port of this machine on which nobody listens. */
export function freePort(): number {
  for (;;) {
    const port = anyPort();
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** The same for datagrams. */
export async function freeUdpPort(): Promise<number> {
  for (;;) {
    const port = anyPort();
    const socket = createSocket("udp4");
    const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      socket.once("error", resolve);
      socket.bind(port, "127.0.0.1", () => resolve(undefined));
    });
    await new Promise<void>((resolve) => socket.close(() => resolve()));
    if (error === undefined) return port;
    if (error.code !== "EADDRINUSE") throw error;
  }
}
