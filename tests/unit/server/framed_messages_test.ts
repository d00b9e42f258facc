import { assertEquals, assertThrows } from "@std/assert";
import { type LibraryStream, takeFrames } from "../../../src/server/transport/framed_messages.ts";

/** The library's side of a call: it frames what is written. */
class FakeStream {
  readonly sent: Uint8Array[] = [];
  readonly call = {
    serializeMessage: (message: unknown) => Uint8Array.of(0, ...message as Uint8Array),
  };
  write(message: unknown, onSent?: () => void): boolean {
    this.sent.push(this.call.serializeMessage(message));
    onSent?.();
    return false;
  }
}

Deno.test("takeFrames: frames go out as they are, messages are framed by the library", () => {
  const library = new FakeStream();
  const stream = takeFrames(library as unknown as LibraryStream);
  const frames = Uint8Array.of(1, 2);
  let isSent = false;
  assertEquals(stream.writeFrames(frames, () => isSent = true), false);
  stream.write(Uint8Array.of(3));
  assertEquals(isSent, true);
  assertEquals(library.sent[0] === frames, true);
  assertEquals(library.sent[1], Uint8Array.of(0, 3));
});

Deno.test("takeFrames: a library that frames elsewhere is refused", () => {
  const text = "Cannot serve: this version of @grpc/grpc-js frames its messages elsewhere";
  for (const library of [{}, { call: {} }]) {
    assertThrows(() => takeFrames(library as unknown as LibraryStream), Error, text);
  }
});
