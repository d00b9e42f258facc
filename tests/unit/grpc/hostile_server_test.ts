/** Servers that mean harm: too much, too little, or nothing at all. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import type { ServerHttp2Stream } from "node:http2";
import { setImmediate } from "node:timers";
import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { connect } from "@btrdb/btrdb";
import { BTrDBError } from "../../../src/core/errors.ts";
import {
  ListCollectionsResponseSchema,
  StreamInfoResponseSchema,
} from "../../../src/gen/btrdb_v4_pb.ts";
import { connectGrpc, type GrpcOptions } from "../../../src/grpc/mod.ts";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import { answer, begin, framed, HostileServer } from "../../support/grpc/hostile_server.ts";
import { bytes, failure, info, raw } from "../../support/grpc/scripted_answers.ts";
import { type ScriptedCall, ScriptedServer } from "../../support/grpc/scripted_server.ts";

const uuid = new Uint8Array(16).fill(4);
const range = { uuid, start: 100n, end: 200n, version: 11n };

async function withServer(
  answerRead: Parameters<typeof HostileServer.start>[0],
  options: Partial<GrpcOptions>,
  body: (endpoint: Endpoint) => Promise<void>,
): Promise<void> {
  await using server = await HostileServer.start((rpc, stream) =>
    rpc === "Info" ? answer(stream, info("4.15.9-deno")) : answerRead(rpc, stream)
  );
  const endpoint = await connectGrpc({ addresses: [server.address], ...options });
  try {
    await body(endpoint);
  } finally {
    await endpoint.close();
  }
}

/** Memory of this thread: tests that run beside are threads of the same process. */
function ownBytes(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

async function drain(source: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of source);
}

Deno.test("rawValues: a message that unpacks to more than maxMessageBytes ends while it is unpacked", async () => {
  // 2 GiB of zeros in 128 members of 16 MiB: unpacked at once they would be far beyond the limit.
  const member = gzipSync(Buffer.alloc(16 << 20));
  const bomb = framed(Buffer.concat(Array<Buffer>(128).fill(member)), 1);
  let error: BTrDBError | undefined;
  let grown = 0;
  await withServer(
    (_rpc, stream) => {
      begin(stream, { "grpc-encoding": "gzip" });
      stream.end(bomb);
    },
    { maxMessageBytes: 1 << 20, retry: false },
    async (endpoint) => {
      const before = ownBytes();
      const timer = setInterval(() => {
        grown = Math.max(grown, ownBytes() - before);
      }, 5);
      error = await assertRejects(() => drain(endpoint.rawValues(range)), BTrDBError);
      clearInterval(timer);
    },
  );
  assert(grown < 500 << 20, `${grown >> 20} MiB`);
  assertEquals(error!.status, "RESOURCE_EXHAUSTED");
});

Deno.test("rawValues: a length beyond maxMessageBytes is refused before anything of it is kept", async () => {
  let error: BTrDBError | undefined;
  await withServer(
    (_rpc, stream) => {
      begin(stream);
      stream.write(framed(new Uint8Array(16), 0, 0xffff_fff0));
    },
    { retry: false },
    async (endpoint) => {
      error = await assertRejects(() => drain(endpoint.rawValues(range)), BTrDBError);
    },
  );
  assertEquals(error!.status, "RESOURCE_EXHAUSTED");
});

Deno.test("rawValues: headers without an answer end after muteAfterMs, though the server answers probes", async () => {
  let error: BTrDBError | undefined;
  await withServer(
    (_rpc, stream) => begin(stream),
    { retry: false, muteAfterMs: 100, probeAfterMs: 50, probeTimeoutMs: 100_000 },
    async (endpoint) => {
      error = await assertRejects(() => drain(endpoint.rawValues(range)), BTrDBError);
    },
  );
  assertEquals(error!.status, "UNAVAILABLE");
  assertStringIncludes(error!.message, "began an answer and sent nothing of it");
});

// A client with much to do lost its subscriptions: the time of a probe had passed when it came to read the
// answer, which had long arrived.
Deno.test("rawValues: a probe whose answer has come is answered, though the client is busy beyond its time", async () => {
  let probes = 0;
  let held: ServerHttp2Stream | undefined;
  const busyMs = 300;
  await using server = await HostileServer.start((rpc, stream) => {
    if (rpc !== "Info") return void (held = stream);
    answer(stream, info("4.15.9-deno"));
    if (held === undefined) return;
    if (++probes === 5) answer(held, new Uint8Array());
    // This is the client's process too.
    setImmediate(() => {
      const endMs = performance.now() + busyMs;
      while (performance.now() < endMs);
    });
  });
  const settings = { retry: false, probeAfterMs: 20, probeTimeoutMs: busyMs / 2 } as const;
  const endpoint = await connectGrpc({ addresses: [server.address], ...settings });
  try {
    await drain(endpoint.rawValues(range));
  } finally {
    await endpoint.close();
  }
  assert(probes >= 5, `${probes} probes`);
});

Deno.test("connect: maxMessageBytes is checked, and bounds the messages of a server", async () => {
  for (const maxMessageBytes of [0, 65_535, 2 ** 31, NaN, 1e5 + 0.5, -1]) {
    await assertRejects(
      () => connect("127.0.0.1:1", { maxMessageBytes }),
      RangeError,
      "maxMessageBytes is",
    );
  }
  await using server = await HostileServer.start((rpc, stream) => {
    answer(stream, rpc === "Info" ? info("4.15.9-deno") : new Uint8Array(100_000));
  });
  await using db = await connect(server.address, { maxMessageBytes: 65_536, retry: false });
  const error = await assertRejects(() => db.streamFromUUID(uuid).version(), BTrDBError);
  assertEquals(error.status, "RESOURCE_EXHAUSTED");
});

Deno.test("changes: an answer that is no message is DATA_LOSS, and no error of the decoder's", async () => {
  let error: BTrDBError | undefined;
  await withServer(
    // Field 4 as a group of bytes that end too early once came out as a RangeError.
    (_rpc, stream) => answer(stream, Uint8Array.of(0x22, 0x02, 0x09, 0x01)),
    { retry: false },
    async (endpoint) => {
      const request = { uuid, from: 1n, to: 11n, resolution: 0 };
      error = await assertRejects(() => drain(endpoint.changes(request)), BTrDBError);
    },
  );
  assertEquals(error!.status, "DATA_LOSS");
  assertStringIncludes(error!.message, "cannot be decoded");
});

Deno.test("rawValues: a message that is said to be compressed in no way ends the call, not the process", async () => {
  let error: BTrDBError | undefined;
  await withServer(
    // The library ends such a call with an error without a code, which once was thrown from its event.
    (_rpc, stream) => {
      begin(stream);
      stream.end(framed(new Uint8Array(20), 1));
    },
    { retry: false },
    async (endpoint) => {
      error = await assertRejects(() => drain(endpoint.rawValues(range)), BTrDBError);
    },
  );
  assertEquals(error!.status, "INTERNAL");
});

// The gRPC library wrote such headers to stderr as they came, for each answer: what moves a terminal too.
Deno.test("rawValues: headers that are no ASCII are not written to stderr", async () => {
  const { error } = console;
  const written: unknown[] = [];
  console.error = (...texts) => void written.push(...texts);
  try {
    await withServer(
      (_rpc, stream) => {
        begin(stream, { "x-name": "\u009b31m" });
        stream.end(framed(raw([[150n, 1]])));
      },
      { retry: false },
      (endpoint) => drain(endpoint.rawValues(range)),
    );
  } finally {
    console.error = error;
  }
  assertEquals(written, []);
});

Deno.test("connectGrpc: long error texts are cut, those of answers and those of statuses", async () => {
  const stat = { code: 500, msg: "x".repeat(1_000_000) };
  const response = toBinary(StreamInfoResponseSchema, create(StreamInfoResponseSchema, { stat }));
  const answers: Parameters<typeof HostileServer.start>[0][] = [
    (_rpc, stream) => answer(stream, response),
    (_rpc, stream) =>
      stream.respond({
        ":status": 200,
        "content-type": "application/grpc+proto",
        "grpc-status": "9",
        "grpc-message": "y".repeat(10_000),
      }, { endStream: true }),
  ];
  for (const answerRead of answers) {
    await withServer(answerRead, { retry: false }, async (endpoint) => {
      const request = { uuid, omitVersion: false, omitDescriptor: false };
      const error = await assertRejects(() => endpoint.streamInfo(request), BTrDBError);
      assert(error.message.length < 1_200, `${error.message.length} characters`);
      assert(/x{100}|y{100}/.test(error.message), error.message);
    });
  }
});

// The error said nothing but "UNKNOWN", or "Lost 127.0.0.1:4410 during RawValues: " and no reason.
Deno.test("rawValues: a status that gRPC does not have is UNKNOWN and named, one without a text too", async () => {
  const given: [status: string | undefined, name: string, text: string][] = [
    ["abc", "UNKNOWN", 'its status is "abc", expected 0 to 16'],
    ["0, 13", "UNKNOWN", 'its status is "0, 13", expected 0 to 16'],
    ["-1", "UNKNOWN", 'its status is "-1", expected 0 to 16'],
    ["17", "UNKNOWN", 'its status is "17", expected 0 to 16'],
    ["14", "UNAVAILABLE", "it gave no reason"],
    [undefined, "UNKNOWN", "it answered without a status"],
  ];
  for (const [status, name, text] of given) {
    const end = status === undefined ? {} : { "grpc-status": status };
    const head = { ":status": 200, "content-type": "application/grpc+proto", ...end };
    await withServer(
      (_rpc, stream) => stream.respond(head, { endStream: true }),
      { retry: false },
      async (endpoint) => {
        const error = await assertRejects(() => drain(endpoint.rawValues(range)), BTrDBError);
        assertEquals([error.code, error.status], [0, name]);
        assert(error.message.endsWith(`: ${text}`), error.message);
      },
    );
  }
});

// A status that JavaScript makes 0 of was a success, an empty one too: what was asked of a server or
// proxy that writes such a one counted as done.
Deno.test("rawValues: a status that only resembles 0 is no success", async () => {
  for (const text of ["", "0x0", "0b0", "00", "+0", "-0", "0.0", "0e5", "1e-400"]) {
    await withServer(
      (_rpc, stream) => {
        const head = { ":status": 200, "content-type": "application/grpc+proto" };
        stream.respond(head, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": text }));
        stream.end(framed(raw([[100n, 1]])));
      },
      { retry: false },
      async (endpoint) => {
        const error = await assertRejects(() => drain(endpoint.rawValues(range)), BTrDBError);
        assertEquals([error.code, error.status], [0, "UNKNOWN"], text);
        assertStringIncludes(
          error.message,
          `its status is ${JSON.stringify(text)}, expected 0 to 16`,
        );
      },
    );
  }
});

// Flags that gRPC does not have were taken for none: bytes in a form that the client does not know
// would have been decoded as a message.
Deno.test("rawValues: a message with a flag that gRPC does not have ends the call", async () => {
  for (const flag of [2, 3, 128, 255]) {
    await withServer(
      (_rpc, stream) => {
        begin(stream);
        stream.end(framed(raw([[100n, 1]]), flag));
      },
      { retry: false },
      async (endpoint) => {
        const error = await assertRejects(() => drain(endpoint.rawValues(range)), BTrDBError);
        assertEquals([error.code, error.status], [0, "INTERNAL"]);
        assertStringIncludes(error.message, `a message has the flag ${flag}, expected 0 or 1`);
      },
    );
  }
});

// Some proxies answer a call that they refuse with everything they were sent. The key came with it, in
// an error that scripts print to their logs.
Deno.test("connectGrpc: a key that a server repeats is not in the error", async () => {
  const apiKey = "c0ffee-5e7-0f-a-grid";
  await withServer(
    (_rpc, stream) =>
      stream.respond({
        ":status": 200,
        "content-type": "application/grpc+proto",
        "grpc-status": "7",
        "grpc-message": `refused: authorization: bearer ${apiKey}`,
      }, { endStream: true }),
    { apiKey, retry: false },
    async (endpoint) => {
      const error = await assertRejects(() => drain(endpoint.rawValues(range)), BTrDBError);
      assertStringIncludes(error.message, "refused: authorization: bearer [key]");
      assert(!Deno.inspect(error).includes(apiKey), error.message);
    },
  );
});

// A key in base64 has `+`, `/` and `=`, which a URL, JSON and the text of a status may write in another
// way: only the key as it is was looked for.
Deno.test("connectGrpc: a key that a server repeats in another spelling is not in the error", async () => {
  const apiKey = 'c0ffee+/grid\\"%&=';
  const twice = encodeURIComponent(encodeURIComponent(apiKey));
  const small = encodeURIComponent(apiKey).replace(/%../g, (part) => part.toLowerCase());
  const json = JSON.stringify(apiKey).replaceAll("/", "\\/");
  const html = apiKey.replace(/\W/g, (mark) => `&#${mark.charCodeAt(0)};`);
  const named = apiKey.replaceAll("&", "&amp;").replaceAll("+", "&plus;").replaceAll('"', "&quot;")
    .replaceAll("/", "&#x2F;").replaceAll("=", "&equals;");
  const spellings = [apiKey, encodeURIComponent(apiKey), small, json, twice, html, named];
  for (const spelling of spellings) {
    for (const text of [spelling, encodeURIComponent(spelling), `100 % ${spelling} %zz`]) {
      await withServer(
        (_rpc, stream) =>
          stream.respond({
            ":status": 200,
            "content-type": "application/grpc+proto",
            "grpc-status": "7",
            "grpc-message": text,
          }, { endStream: true }),
        { apiKey, retry: false },
        async (endpoint) => {
          const error = await assertRejects(() => drain(endpoint.rawValues(range)), BTrDBError);
          assertStringIncludes(error.message, "[key]");
          assert(!/c0ffee|grid/.test(Deno.inspect(error)), error.message);
        },
      );
    }
  }
});

// The text of an answer with a code was taken as it came. A server that repeats what it was sent put
// the key into the logs of scripts, also where a limit on its length cut it in half.
Deno.test("connectGrpc: a key in the text of a code, or in a name, is not in the error", async () => {
  const apiKey = "c0ffee-5e7-0f-a-grid";
  const long = "x".repeat(990);
  const script = (call: ScriptedCall) => {
    if (call.rpc === "Info") return call.send(info("4.15.9-deno"));
    const { rpc } = call;
    if (rpc === "RawValues") {
      return call.send(failure(400, `${long} ${call.header("authorization")}`));
    }
    if (rpc === "Nearest") return call.send(failure(400, `bad: ${call.header("authorization")}`));
    return call.send(bytes(ListCollectionsResponseSchema, { collections: [apiKey] }));
  };
  await using server = await ScriptedServer.start(script);
  const addresses = [server.address];
  const endpoint = await connectGrpc({ addresses, apiKey, retry: false });
  const other = await connectGrpc({ addresses, apiKey: `${apiKey}-2`, retry: false });
  const nearest = (one: Endpoint) =>
    assertRejects(() => one.nearest({ ...range, time: 1n, backward: false }), BTrDBError);
  try {
    const errors = [
      await assertRejects(() => drain(endpoint.rawValues(range)), BTrDBError),
      await assertRejects(() => drain(endpoint.listCollections({ prefix: "ours" })), BTrDBError),
      await nearest(endpoint),
      await nearest(other),
    ];
    for (const error of errors) assert(!Deno.inspect(error).includes("c0ffee"), error.message);
    assertEquals(errors.slice(2).map(({ message }) => message), Array(2).fill("bad: bearer [key]"));
  } finally {
    await endpoint.close();
    await other.close();
  }
});
