/**
 * Invalid input for a server in a process of its own: malformed messages, uuids of the wrong
 * length, huge numbers, bytes that are not even HTTP/2. Every call is answered, the process lives
 * on, complains of nothing, and serves others all the while. For ten minutes each, from any seed:
 *
 *     FUZZ_MINUTES=10 FUZZ_SEED=1 deno test -A tests/reliability/server_fuzz_test.ts
 */

import { Buffer } from "node:buffer";
import { Client, credentials } from "@grpc/grpc-js";
import { create, type DescMessage, type DescMethod, toBinary } from "@bufbuild/protobuf";
import { assert, assertEquals } from "@std/assert";
import { connect, type Stream } from "@btrdb/btrdb";
import { BTrDB as V4 } from "../../src/gen/btrdb_v4_pb.ts";
import { BTrDB as V5 } from "../../src/gen/btrdb_v5_pb.ts";
import { RawClient } from "../support/grpc_client.ts";
import { fuzzing } from "../support/fuzzing.ts";
import type { Random } from "../support/random.ts";
import { HANG_MS, until } from "../support/until.ts";
import { ServedDatabase } from "./support/served_database.ts";

const METHODS = [...V4.methods, ...V5.methods];

/** Some streamed answers are longer than anybody waits for. */
const PATIENCE_MS = 3_000;

/** Every other call ends by itself, on a busy machine too. */
const UNARY_PATIENCE_MS = HANG_MS;

/** Codes with which a call may end: an answer, a refusal, or our own timeout. */
const CALM = new Set([0, 3, 4, 7, 8, 13]);

const pathOf = (method: DescMethod) => `/${method.parent.typeName}/${method.name}`;

async function withServer(
  use: (server: ServedDatabase, client: RawClient, stream: Stream) => Promise<void>,
): Promise<void> {
  const server = await ServedDatabase.start("memory:");
  try {
    await using db = await connect(server.address);
    const stream = await db.create(crypto.randomUUID(), "fuzz", { tags: { name: "fuzz" } });
    await stream.insert(Array.from({ length: 1000 }, (_, i) => [BigInt(i) << 30n, i] as const));
    await stream.flush();
    using client = new RawClient(server.address);
    await use(server, client, stream);
    assertEquals(await stream.count(), 1000n);
  } finally {
    const { code, errors } = await server.stop();
    assertEquals([code, errors], [0, ""]);
  }
}

/** Makes a call and demands that it ends calmly. */
async function send(client: RawClient, method: DescMethod, bytes: Uint8Array): Promise<void> {
  const path = pathOf(method);
  const unary = method.methodKind === "unary";
  const deadlineMs = Date.now() + (unary ? UNARY_PATIENCE_MS : PATIENCE_MS);
  const { code, details } = await client.call(path, bytes, { deadlineMs });
  const patient = code !== 4 || !unary;
  // At the deadline the server resets an answer of which much waits, and may come first with it.
  const isReset = code === 1 && !unary && Date.now() >= deadlineMs;
  assert((CALM.has(code) || isReset) && patient, `${path} of ${bytes.toHex()}: ${code} ${details}`);
  assert(details !== "internal error", `${path} of ${bytes.toHex()}: ${details}`);
}

/** Calls after which the stream or its points are gone. */
const REMOVING = new Set(["Obliterate", "Delete"]);

/** Calls that wait for more are not what is tested here. */
const answered = METHODS.filter(({ name }) => name !== "Subscribe");

const WRITES = ["Delete", "Obliterate", "Insert", "ArrowInsert", "SetStreamTags", "Create"];

/** Calls that may be sent for a stream that others read. */
const READS: ReadonlySet<DescMethod> = new Set(
  answered.filter(({ name }) => !WRITES.includes(name)),
);

Deno.test("serve answers malformed messages of every method, and lives on", () =>
  withServer(async (_server, client, stream) => {
    const uuid = Uint8Array.fromHex(stream.uuid.replaceAll("-", ""));
    for (const random of fuzzing("gRPC messages", 12, Infinity)) {
      const jobs: Promise<void>[] = [];
      for (const method of answered) {
        const bytes = Uint8Array.from({ length: random.int(0, 60) }, () => random.int(0, 255));
        jobs.push(send(client, method, bytes));
        // A change may undo another one: what removes something is sent for a uuid of nobody.
        const whose = REMOVING.has(method.name) ? new Uint8Array(16) : uuid;
        const valid = validMessage(method.input, whose);
        jobs.push(send(client, method, mutated(valid, random)));
        if (READS.has(method)) jobs.push(send(client, method, mutatedBehindUuid(valid, random)));
      }
      await Promise.all(jobs);
    }
  }));

/** A message with the stream's uuid and a number in each other field of one. */
function validMessage(schema: DescMessage, uuid: Uint8Array): Uint8Array {
  const message = create(schema) as unknown as Record<string, unknown>;
  for (const { localName } of schema.fields) {
    if (localName === "uuid") message[localName] = Array.isArray(message.uuid) ? [uuid] : uuid;
    else if (typeof message[localName] === "bigint") message[localName] = 40n;
    else if (typeof message[localName] === "number") message[localName] = 1;
  }
  return toBinary(schema, message as never);
}

/** Bytes of a uuid that is the first field. */
const UUID_FIELD_BYTES = 18;

/** Some bytes changed behind the uuid, so that the stream is found, and the question is another one. */
function mutatedBehindUuid(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice();
  if (copy.length <= UUID_FIELD_BYTES) return copy;
  for (let i = random.int(1, 3); i > 0; i--) {
    const at = random.int(UUID_FIELD_BYTES, copy.length - 1);
    copy[at] = random.pick([0, 0x7f, 0x80, 0xff, copy[at]! ^ 1 << random.int(0, 7)]);
  }
  return copy;
}

/** Some bytes changed, some cut off; the streams' data survive: those changes need other uuids. */
function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice(0, random.chance(0.3) ? random.int(0, bytes.length) : bytes.length);
  for (let i = random.int(1, 4); i > 0 && copy.length > 0; i--) {
    copy[random.int(0, copy.length - 1)] = random.int(0, 255);
  }
  if (copy.length > 5) copy[5]! ^= 0xff;
  return copy;
}

Deno.test("serve answers uuids of the wrong length and numbers at their edges", () =>
  withServer(async (_server, client, stream) => {
    const uuid = Uint8Array.fromHex(stream.uuid.replaceAll("-", ""));
    const uuids = [0, 1, 15, 17, 1000].map((length) => new Uint8Array(length).fill(7));
    const edges = [-(1n << 63n), -1n, 0n, 1n, (1n << 62n) + 1n, (1n << 63n) - 1n];
    for (const method of READS) {
      const jobs = uuids.map((wrong) => send(client, method, edgy(method.input, wrong, 1n, 1n)));
      for (const start of edges) {
        for (const end of edges) {
          jobs.push(send(client, method, edgy(method.input, uuid, start, end)));
        }
      }
      await Promise.all(jobs);
    }
  }));

/** A message from `start` to `end` whose other numbers are as large as `end`, within their types. */
function edgy(schema: DescMessage, uuid: Uint8Array, start: bigint, end: bigint): Uint8Array {
  const message = create(schema) as unknown as Record<string, unknown>;
  const small = Number(BigInt.asUintN(8, end));
  for (const { localName } of schema.fields) {
    if (localName === "uuid") message[localName] = Array.isArray(message.uuid) ? [uuid] : uuid;
    else if (localName === "start" || localName === "startTime") message[localName] = start;
    else if (localName === "end" || localName === "endTime") message[localName] = end;
    else if (/^(time|periodNs|snapPeriodNs)$/.test(localName)) message[localName] = end;
    else if (/version/i.test(localName)) continue;
    else if (typeof message[localName] === "bigint") message[localName] = BigInt.asUintN(64, end);
    else if (typeof message[localName] === "number" && localName !== "op") {
      message[localName] = small;
    }
  }
  return toBinary(schema, message as never);
}

Deno.test("serve hangs up on what is not gRPC, and serves others meanwhile", () =>
  withServer(async (server, _client, stream) => {
    const [hostname, port] = server.address.split(":");
    const preface = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    const attack = async (bytes: Uint8Array) => {
      const conn = await Deno.connect({ hostname: hostname!, port: Number(port) });
      await conn.write(bytes).catch(() => {});
      const timer = setTimeout(() => conn.close(), 200);
      await Array.fromAsync(conn.readable).catch(() => {});
      clearTimeout(timer);
    };
    const jobs: Promise<void>[] = [];
    for (const random of fuzzing("gRPC port", 10, Infinity)) {
      for (let i = 0; i < 4; i++) {
        const head = i % 2 === 0 ? preface : new Uint8Array();
        const length = random.int(1, 3000);
        const noise = Uint8Array.from({ length }, () => random.int(0, 255));
        jobs.push(attack(new Uint8Array([...head, ...noise])));
        assertEquals((await stream.nearest(5n << 30n, { timeoutMs: HANG_MS }))?.value, 5);
      }
      if (jobs.length > 40) await Promise.all(jobs.splice(0));
    }
    await Promise.all(jobs);
    await until(
      "the connections are closed",
      async () => await server.metric("btrdb_server_connections") <= 2,
    );
  }));

Deno.test("serve unpacks no more than a message may have", () =>
  withServer(async (server) => {
    const packing = { "grpc.default_compression_algorithm": 2, "grpc.max_send_message_length": -1 };
    const client = new Client(server.address, credentials.createInsecure(), packing);
    const zeros = Buffer.alloc(64 << 20);
    const insert = () =>
      new Promise<number | undefined>((resolve) => {
        const same = (bytes: Buffer) => bytes;
        const path = "/v5api.BTrDB/Insert";
        client.makeUnaryRequest(path, same, same, zeros, (error) => resolve(error?.code));
      });
    const { resident } = (await server.memory())!;
    for (let refused = 0; refused < 20;) {
      const code = await insert();
      // A machine that is busy enough takes more than the ten seconds of a first message to send it.
      if (code === 4) continue;
      assertEquals(code, 8);
      refused++;
    }
    const grown = (await server.memory())!.resident - resident;
    client.close();
    assert(grown < 200, `grew by ${grown} MB`);
  }));
