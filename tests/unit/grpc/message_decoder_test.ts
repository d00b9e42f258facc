/** Answers of servers in any pieces, and those that end before their messages do. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Buffer } from "node:buffer";
import type { ServerHttp2Stream } from "node:http2";
import { BTrDBError } from "../../../src/core/errors.ts";
import { FrameError } from "../../../src/core/grpc_web.ts";
import { connectGrpc } from "../../../src/grpc/mod.ts";
import { MessageDecoder } from "../../../src/grpc/transport/message_decoder.ts";
import { Random } from "../../support/random.ts";
import { answer, begin, framed, HostileServer } from "../../support/grpc/hostile_server.ts";
import { info, raw } from "../../support/grpc/scripted_answers.ts";

const MAX_BYTES = 8 << 20;

/** Random messages of lengths around those at which memory is taken in another way. */
function someMessages(random: Random): Buffer[] {
  const lengths = [0, 1, 4090, 4092, 4096, 70_000, (1 << 20) - 5, (1 << 20) + 1, 3 << 20];
  return Array.from({ length: 20 }, () => {
    const message = Buffer.alloc(random.pick(lengths));
    for (let i = 0; i < message.length; i += 997) message[i] = random.int(0, 255);
    return framed(message, random.int(0, 1));
  });
}

Deno.test("MessageDecoder: messages are the same in whatever pieces they come", () => {
  const random = new Random(5);
  for (const longest of [100, 16_384, 1 << 20, 1 << 30]) {
    const messages = someMessages(random);
    const bytes = Buffer.concat(messages);
    const decoder = new MessageDecoder(MAX_BYTES);
    const found: Buffer[] = [];
    for (let at = 0; at < bytes.length;) {
      const length = random.int(Math.min(longest, 90), Math.min(longest, bytes.length));
      found.push(...decoder.write(bytes.subarray(at, at + length)));
      at += length;
    }
    assert(decoder.isBetween);
    assertEquals(found.length, messages.length);
    assert(found.every((message, i) => message.equals(messages[i]!)));
  }
});

// The library kept each piece until the message was whole: four million bytes, one a frame, took 1.6 GiB.
Deno.test("MessageDecoder: a long message in ever so many pieces is refused, short ones are not", () => {
  const decoder = new MessageDecoder(MAX_BYTES);
  const short = framed(Buffer.alloc(1000));
  for (let i = 0; i < 100; i++) {
    const found = Array.from(short, (byte) => decoder.write(Uint8Array.of(byte))).flat();
    assertEquals(found.length, 1);
  }
  let pieces = 0;
  const error = assertThrows(() => {
    for (const byte of framed(Buffer.alloc(10_000))) {
      decoder.write(Uint8Array.of(byte));
      pieces++;
    }
  }, FrameError);
  assertStringIncludes(error.message, "in pieces of less than 64 bytes");
  assert(pieces > 1000 && pieces < 1100, `${pieces}`);
});

/** The error of a read that is answered like this. */
async function refusal(reply: (stream: ServerHttp2Stream) => void): Promise<BTrDBError> {
  await using server = await HostileServer.start((rpc, stream) =>
    rpc === "Info" ? answer(stream, info("4.15.9-deno")) : reply(stream)
  );
  const endpoint = await connectGrpc({ addresses: [server.address], retry: false });
  try {
    const range = { uuid: new Uint8Array(16), start: 100n, end: 200n, version: 11n };
    return await assertRejects(async () => {
      for await (const _ of endpoint.rawValues(range));
    }, BTrDBError);
  } finally {
    await endpoint.close();
  }
}

// The library dropped the beginning of a message behind which the answer ended with status 0: what the
// rest would have held was missing from the answer, and nobody was told.
Deno.test("rawValues: an answer that ends well within a message is no whole one", async () => {
  const whole = framed(raw([[110n, 1]]));
  const next = framed(raw([[120n, 2]]));
  for (const length of [1, 4, 5, 6, next.length - 1]) {
    const error = await refusal((stream) => {
      begin(stream);
      stream.end(Buffer.concat([whole, next.subarray(0, length)]));
    });
    assertEquals(error.status, "INTERNAL", `${length}`);
    assertStringIncludes(error.message, "the answer ended within a message");
  }
});

// A page that came together with its headers was taken for a message that is too long, and the call
// was not retried.
Deno.test("rawValues: the page of a proxy is its HTTP status, however early it comes", async () => {
  const page = "<html><body>Service Unavailable</body></html>";
  for (const [code, status] of [[502, "UNAVAILABLE"], [503, "UNAVAILABLE"], [200, "INTERNAL"]]) {
    const error = await refusal((stream) => {
      stream.respond({ ":status": Number(code), "content-type": "text/html" });
      stream.end(page);
    });
    assertEquals(error.status, status);
  }
});
