import { EventEmitter } from "node:events";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { frameOf } from "../../../src/core/grpc_web.ts";
import { type LibraryStream, takeFrames } from "../../../src/server/transport/framed_messages.ts";
import { until } from "../../support/until.ts";

/** A socket that has bytes to send. */
class FakeSocket extends EventEmitter {
  writableLength = 0;
  /** Sends all of them. */
  sendAll(): void {
    this.writableLength = 0;
    this.emit("drain");
  }
}

/** The library's side of a call: it frames what is written, and takes whatever comes. */
class FakeStream extends EventEmitter {
  readonly sent: Uint8Array[] = [];
  readonly call = {
    serializeMessage: (message: unknown) =>
      new Uint8Array([0, ...(message as Uint8Array).subarray(0, 9)]),
    stream: { session: { socket: new FakeSocket() } },
  };
  readonly unsent: ((error?: Error) => void)[] = [];
  write(message: unknown, onSent: () => void): boolean {
    this.sent.push(this.call.serializeMessage(message));
    this.unsent.push(onSent);
    return true;
  }
  end(): void {
    this.sent.push(Uint8Array.of());
  }
  /** Tells that the first message that waits was sent. */
  send(): void {
    this.unsent.shift()?.();
  }
}

Deno.test("takeFrames: frames go out as they are, messages are framed by the library", () => {
  const library = new FakeStream();
  const stream = takeFrames(library as unknown as LibraryStream);
  const frames = Uint8Array.of(1, 2);
  let isSent = false;
  assertEquals(stream.writeFrames(frames, () => isSent = true), true);
  stream.write(Uint8Array.of(3));
  assertEquals(isSent, false);
  library.send();
  assertEquals(isSent, true);
  assertEquals(library.sent[0] === frames, true);
  assertEquals(library.sent[1], Uint8Array.of(0, 3));
});

// The library counts messages: 16 of half a MiB waited for each reader that did not read.
Deno.test("takeFrames: a call is told to stop at 1 MiB, to go on once some was sent, and that little is left", () => {
  const library = new FakeStream();
  let drains = 0;
  library.on("drain", () => drains++);
  const stream = takeFrames(library as unknown as LibraryStream);
  const quarter = new Uint8Array(256 << 10);
  const write = () => stream.write(quarter);
  const room = [write(), write(), write(), stream.writeFrames(quarter, () => {}), write()];
  assertEquals(room, [true, true, true, false, false]);
  library.send();
  assertEquals([drains, stream.write(new Uint8Array(1))], [0, false]);
  library.send();
  assertEquals([drains, stream.write(new Uint8Array(1))], [1, true]);
  assertEquals(stream.waitingBytes(), 3 * quarter.length + 2);
  for (let i = 0; i < 3; i++) library.send();
  assertEquals([drains, stream.waitingBytes()], [2, 2]);
  library.send();
  assertEquals(drains, 2);
});

// A client that announced a flow-control window of 2 GiB and did not read had its whole answers kept for it:
// 36 MB of one of 2,000,000 points, while the call was over and its place free for the next.
Deno.test("takeFrames: messages are held back while the socket has much to send", () => {
  const library = new FakeStream();
  const { socket } = library.call.stream.session;
  let drains = 0;
  library.on("drain", () => drains++);
  const stream = takeFrames(library as unknown as LibraryStream);
  socket.writableLength = 2 << 20;
  assertEquals(stream.write(Uint8Array.of(7)), false);
  assertEquals(stream.writeFrames(Uint8Array.of(1), () => {}), false);
  assertEquals(library.sent.length, 0);
  // The call keeps its place for them, however short they are.
  assertEquals(stream.waitingBytes() > 65_536, true);
  socket.sendAll();
  assertEquals([library.sent.length, stream.waitingBytes()], [2, 2]);
  library.send();
  assertEquals([drains, stream.write(Uint8Array.of(8))], [1, true]);
});

Deno.test("takeFrames: what is held back is dropped with its call, and calls of a socket take turns", async () => {
  const calls = Array.from({ length: 3 }, () => new FakeStream());
  const { session } = calls[0]!.call.stream;
  const { socket } = session;
  for (const { call } of calls) call.stream.session = session;
  const streams = calls.map((library) => takeFrames(library as unknown as LibraryStream));
  socket.writableLength = 2 << 20;
  for (const stream of streams) stream.write(new Uint8Array(1 << 20));
  // The head of a message and its four pieces.
  const parts = 5;
  streams[0]!.reset(1);
  socket.sendAll();
  assertEquals(calls.map(({ sent }) => sent.length), [0, parts, 0]);
  await until("the last one has its turn", () => calls[2]!.sent.length === parts);
  socket.writableLength = 2 << 20;
  streams[1]!.write(Uint8Array.of(1));
  calls[1]!.emit("cancelled");
  socket.sendAll();
  assertEquals(calls.map(({ sent }) => sent.length), [0, parts, parts]);
});

// What is told of is a message as a whole: a slow reader of messages of 4 MB seemed not to read.
Deno.test("takeFrames: long messages go out in pieces, and each one that was taken is noted", () => {
  const library = new FakeStream();
  const stream = takeFrames(library as unknown as LibraryStream);
  assertEquals(stream.takenMs(), 0);
  const message = Uint8Array.from({ length: 600_000 }, (_, i) => i % 251);
  let isSent = false;
  stream.write(message);
  stream.writeFrames(message, () => isSent = true);
  const lengths = [5, 262_144, 262_144, 75_712, 262_144, 262_144, 75_712];
  assertEquals(library.sent.map(({ length }) => length), lengths);
  assertEquals(new Uint8Array(Buffer.concat(library.sent.slice(0, 4))), frameOf(message));
  assertEquals(new Uint8Array(Buffer.concat(library.sent.slice(4))), message);
  const before = performance.now();
  library.send();
  assert(stream.takenMs() >= before);
  for (let i = 0; i < 5; i++) library.send();
  assertEquals([isSent, stream.waitingBytes()], [false, 75_712]);
  library.send();
  assertEquals([isSent, stream.waitingBytes()], [true, 0]);
});

Deno.test("takeFrames: a library that frames elsewhere is refused", () => {
  const text = "Cannot serve: this version of @grpc/grpc-js frames its messages elsewhere";
  for (const library of [{}, { call: {} }]) {
    assertThrows(() => takeFrames(library as unknown as LibraryStream), Error, text);
  }
});

// Whoever keeps the socket of a session gets errors from it once the session is over: a call that sent
// its answer then failed, and was told to whoever runs the server.
Deno.test("takeFrames: a session without its socket holds nothing back", () => {
  const library = new FakeStream();
  const stream = takeFrames(library as unknown as LibraryStream);
  const session: { socket?: FakeSocket | undefined } = library.call.stream.session;
  Object.defineProperty(session.socket, "writableLength", {
    get() {
      throw new Error("The socket has been disconnected from the Http2Session");
    },
  });
  session.socket = undefined;
  assertEquals(stream.writeFrames(Uint8Array.of(1), () => {}), true);
  assertEquals(library.sent.length, 1);
});

// A short last message was held back while the socket had much to send. The one before it told of room, and
// nothing did once the last had gone: the call waited for that for ever, and its client for the end.
Deno.test("takeFrames: a short message that was held back tells when it was taken", () => {
  const library = new FakeStream();
  const { socket } = library.call.stream.session;
  let drains = 0;
  library.on("drain", () => drains++);
  const stream = takeFrames(library as unknown as LibraryStream);
  assertEquals(stream.writeFrames(new Uint8Array(100_000), () => {}), true);
  socket.writableLength = 2 << 20;
  assertEquals(stream.writeFrames(new Uint8Array(10), () => {}), false);
  library.send();
  assert(stream.waitingBytes() > 65_536);
  socket.sendAll();
  const before = drains;
  library.send();
  assertEquals([drains - before, stream.waitingBytes()], [1, 0]);
});

// A call that fails sends its error as a message, and ends with OK, as real servers do. If the message had
// been held back and the library told of room meanwhile, the end came first: the answer looked whole.
Deno.test("takeFrames: the end of a call comes behind what is held back", () => {
  const library = new FakeStream();
  const { socket } = library.call.stream.session;
  const stream = takeFrames(library as unknown as LibraryStream);
  socket.writableLength = 2 << 20;
  stream.writeFrames(Uint8Array.of(7), () => {});
  stream.end();
  assertEquals(library.sent.length, 0);
  socket.sendAll();
  assertEquals(library.sent, [Uint8Array.of(7), Uint8Array.of()]);
});
