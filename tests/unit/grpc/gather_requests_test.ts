import { Duplex } from "node:stream";
import { assertEquals } from "@std/assert";
import { gatherRequests } from "../../../src/grpc/transport/gather_requests.ts";
import { nextTurn } from "../../../src/core/event_loop.ts";

const HEADERS = 1, DATA = 0, PING = 6;
const END_HEADERS = 4, END_STREAM = 1;

/** A frame without a payload. */
const frame = (type: number, flags: number): Uint8Array =>
  Uint8Array.of(0, 0, 0, type, flags, 0, 0, 0, 1);

/** A connection that gathers requests; `together` has how many frames were handed over at a time. */
function connection(): { socket: Duplex; together: number[] } {
  const together: number[] = [];
  const socket = new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      together.push(1);
      done();
    },
    writev(chunks, done) {
      together.push(chunks.length);
      done();
    },
  });
  gatherRequests(socket);
  return { socket, together };
}

// Headers and message were handed over one by one, each at the cost of all other work for a short call.
Deno.test("gatherRequests: a lone request is handed over at once, in one piece", () => {
  const { socket, together } = connection();
  socket.write(frame(HEADERS, END_HEADERS));
  assertEquals(together, []);
  socket.write(frame(DATA, END_STREAM));
  assertEquals(together, [2]);
});

Deno.test("gatherRequests: further requests of a turn are handed over at its end, together", async () => {
  const { socket, together } = connection();
  for (let i = 0; i < 50; i++) {
    socket.write(frame(HEADERS, END_HEADERS));
    socket.write(frame(DATA, END_STREAM));
  }
  assertEquals(together, [2]);
  await nextTurn();
  assertEquals(together, [2, 98]);
  // The next turn begins anew.
  socket.write(frame(HEADERS, END_HEADERS));
  socket.write(frame(DATA, END_STREAM));
  assertEquals(together, [2, 98, 2]);
});

Deno.test("gatherRequests: what is no whole request waits for the end of the turn, and no longer", async () => {
  const { socket, together } = connection();
  socket.write(frame(HEADERS, END_HEADERS));
  socket.write(frame(DATA, 0));
  assertEquals(together, []);
  await nextTurn();
  assertEquals(together, [2]);
  socket.write(frame(PING, 1));
  await nextTurn();
  assertEquals(together, [2, 1]);
});

Deno.test("gatherRequests: a connection that ends hands over what it has", async () => {
  const { socket, together } = connection();
  const finished = new Promise<void>((resolve) => socket.once("finish", resolve));
  socket.write(frame(HEADERS, END_HEADERS));
  socket.write(frame(PING, 0));
  socket.end();
  await finished;
  assertEquals(together, [2]);
});
