import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { assert, assertEquals } from "@std/assert";
import { gatherWrites } from "../../../src/server/transport/gather_writes.ts";
import { until } from "../../support/until.ts";

/** A frame of HTTP/2 as the runtime hands it over: in memory of its own. */
const FRAME_BYTES = 16_393;

/** Writes to a gathering socket; `received` grows with what its peer gets. */
async function withSocket(
  work: (socket: Socket, peer: Socket, received: Uint8Array[]) => Promise<void>,
): Promise<void> {
  const server = createServer();
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const peer = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const received: Uint8Array[] = [];
  const socket = await accepted;
  const closed = [socket, peer, server].map((one) =>
    new Promise<void>((resolve) => one.once("close", () => resolve()))
  );
  gatherWrites(socket);
  try {
    await work(socket, peer, received);
  } finally {
    socket.destroy();
    peer.destroy();
    server.close();
    await Promise.all(closed);
  }
}

const sizeOf = (pieces: readonly Uint8Array[]) =>
  pieces.reduce((sum, { length }) => sum + length, 0);

Deno.test("gatherWrites: the memory of long frames is freed once they are written, and not before", async () => {
  // Answers of 40 MB had made V8 collect all its memory, because each frame is a buffer of its own.
  await withSocket(async (socket, peer, received) => {
    const frames = Array.from({ length: 400 }, (_, i) => new Uint8Array(FRAME_BYTES).fill(i + 1));
    for (const frame of frames) socket.write(frame);
    // Nobody reads: the socket's memory does not hold all of them.
    await until("the first frame is freed or all wait", () => socket.writableLength > 0);
    const unwritten = frames.filter(({ length }) => length > 0);
    assert(unwritten.length > 0);
    for (const { length } of unwritten) assertEquals(length, FRAME_BYTES);
    peer.on("data", (piece: Uint8Array) => received.push(piece.slice()));
    await until("all bytes are there", () => sizeOf(received) === 400 * FRAME_BYTES);
    await until("all frames are freed", () => frames.every(({ length }) => length === 0));
    const all = new Uint8Array(400 * FRAME_BYTES);
    let at = 0;
    for (const piece of received) {
      all.set(piece, at);
      at += piece.length;
    }
    assert(all.every((byte, i) => byte === (Math.floor(i / FRAME_BYTES) + 1) % 256));
  });
});

Deno.test("gatherWrites: memory that others may use is left alone", async () => {
  await withSocket(async (socket, peer, received) => {
    peer.on("data", (piece: Uint8Array) => received.push(piece));
    const short = new Uint8Array(100), shared = new Uint8Array(100_000);
    const heard = new Uint8Array(FRAME_BYTES);
    let isHeard = false;
    socket.write(short);
    socket.write(shared.subarray(10, 10 + FRAME_BYTES));
    socket.write(heard, () => isHeard = true);
    await until("all is written", () => isHeard);
    await until("all is there", () => sizeOf(received) === 100 + 2 * FRAME_BYTES);
    assertEquals([short.length, shared.length, heard.length], [100, 100_000, FRAME_BYTES]);
  });
});

Deno.test("gatherWrites: a connection that breaks in the middle of long frames ends like any other", async () => {
  await withSocket(async (socket, peer) => {
    socket.on("error", () => {});
    const frames = Array.from({ length: 400 }, () => new Uint8Array(FRAME_BYTES));
    for (const frame of frames) socket.write(frame);
    await until("something waits", () => socket.writableLength > 0);
    peer.destroy();
    await until("the socket is closed", () => socket.destroyed);
    for (const { length } of frames) assert(length === 0 || length === FRAME_BYTES);
  });
});

Deno.test("gatherWrites: a short answer is written at once, many are gathered", async () => {
  // Each part of a lone answer had waited for the end of its turn. The client had then dealt with the
  // message when the trailers came, and woke twice: an eighth more of its CPU time for a small insert.
  await withSocket(async (socket, peer, received) => {
    peer.on("data", (piece: Uint8Array) => received.push(piece));
    const frame = () => new Uint8Array(20);
    socket.write(frame());
    socket.write(frame());
    assertEquals(socket.writableCorked, 0);
    socket.write(frame());
    socket.write(frame());
    assertEquals(socket.writableCorked, 1);
    await until("all four are there", () => sizeOf(received) === 80);
    assertEquals(socket.writableCorked, 0);
    socket.write(new Uint8Array(FRAME_BYTES));
    assertEquals(socket.writableCorked, 1);
    await until("the long one is there", () => sizeOf(received) === 80 + FRAME_BYTES);
  });
});
