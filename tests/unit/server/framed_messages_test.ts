import { EventEmitter } from "node:events";
import { assertEquals, assertThrows } from "@std/assert";
import { type LibraryStream, takeFrames } from "../../../src/server/transport/framed_messages.ts";

/** The library's side of a call: it frames what is written, and takes whatever comes. */
class FakeStream extends EventEmitter {
  readonly sent: Uint8Array[] = [];
  readonly call = {
    serializeMessage: (message: unknown) =>
      new Uint8Array([0, ...(message as Uint8Array).subarray(0, 9)]),
  };
  readonly unsent: ((error?: Error) => void)[] = [];
  write(message: unknown, onSent: () => void): boolean {
    this.sent.push(this.call.serializeMessage(message));
    this.unsent.push(onSent);
    return true;
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
  const half = new Uint8Array(512 << 10);
  const room = [stream.write(half), stream.writeFrames(half, () => {}), stream.write(half)];
  assertEquals(room, [true, false, false]);
  library.send();
  assertEquals([drains, stream.write(new Uint8Array(1))], [0, false]);
  library.send();
  assertEquals([drains, stream.write(new Uint8Array(1))], [1, true]);
  assertEquals(stream.waitingBytes(), half.length + 2);
  library.send();
  assertEquals([drains, stream.waitingBytes()], [2, 2]);
  library.send();
  assertEquals(drains, 2);
});

Deno.test("takeFrames: a library that frames elsewhere is refused", () => {
  const text = "Cannot serve: this version of @grpc/grpc-js frames its messages elsewhere";
  for (const library of [{}, { call: {} }]) {
    assertThrows(() => takeFrames(library as unknown as LibraryStream), Error, text);
  }
});
