/** Memory of messages that is used again while slow readers still have them under way. */

import { assert, assertEquals } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
import { delay } from "../../../src/core/call.ts";
import { haveOpenssl, makeCertificate } from "../../support/certificate.ts";

/** Points of a stream, 8 MB as messages: more than the sockets hold. */
const POINTS = 400_000;
const STREAMS = 4;

/** Reads all streams at once, and stops now and then; returns what is not what was written. */
const SLOW_READERS = `
  import { connect } from "@btrdb/btrdb";
  const [target, ...uuids] = Deno.args;
  await using db = await connect(target);
  const wrong = await Promise.all(uuids.map(async (uuid, s) => {
    let i = 0, bad = 0, batches = 0;
    for await (const { times, values } of db.streamFromUUID(uuid).rawValues(0n, 1n << 40n)) {
      for (let k = 0; k < times.length; k++, i++) {
        if (times[k] !== BigInt(i) * 1_000n || values[k] !== s * 1e6 + i) bad++;
      }
      if (batches++ % (20 + s) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return i === ${POINTS} ? bad : "only " + i;
  }));
  console.log(wrong.join());
`;

Deno.test("serve: readers that stop now and then get what was written, by every protocol", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using db = await connect("memory:");
    const uuids: string[] = [];
    for (let s = 0; s < STREAMS; s++) {
      const stream = await db.create(crypto.randomUUID(), `slow/${s}`);
      await stream.insert({
        times: BigInt64Array.from({ length: POINTS }, (_, i) => BigInt(i) * 1_000n),
        values: Float64Array.from({ length: POINTS }, (_, i) => s * 1e6 + i),
      });
      uuids.push(stream.uuid);
    }
    await Deno.writeTextFile(`${folder}/program.ts`, SLOW_READERS);
    const read = async (target: string, env: Record<string, string> = {}) => {
      const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", "--config", "deno.json", `${folder}/program.ts`]
          .concat(target, uuids),
        env,
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      assertEquals(new TextDecoder().decode(stdout).trim(), "0,0,0,0", target);
    };
    {
      await using server = await serve(db, { port: 0, http: { port: 0 } });
      await Promise.all([
        read(`127.0.0.1:${server.port}`),
        read(`grpc-web://127.0.0.1:${server.httpPort}`),
      ]);
    }
    if (!haveOpenssl()) return console.warn("skipped, no openssl: over TLS");
    const { cert, key } = await makeCertificate(folder, "server", [
      "basicConstraints=critical,CA:FALSE",
    ]);
    await using server = await serve(db, { port: 0, http: { port: 0 }, tls: { cert, key } });
    await read(`grpc-web+tls://localhost:${server.httpPort}`, { DENO_CERT: cert });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("serve: a connection that breaks gives no memory back that may still be sent", async () => {
  await using db = await connect("memory:");
  const stream = await db.create(crypto.randomUUID(), "broken");
  await stream.insert({
    times: BigInt64Array.from({ length: POINTS }, (_, i) => BigInt(i) * 1_000n),
    values: Float64Array.from({ length: POINTS }, (_, i) => i),
  });
  await using server = await serve(db, { port: 0, http: { port: 0 } });
  await using web = await connect(`grpc-web://127.0.0.1:${server.httpPort}`);
  const remote = web.streamFromUUID(stream.uuid);
  for (let round = 0; round < 10; round++) {
    for await (const _ of remote.rawValues(0n, 1n << 40n)) {
      await delay(round);
      break;
    }
    const { times, values } = await remote.rawValues(0n, 1n << 40n).collect();
    assertEquals(times.length, POINTS);
    assert(values.every((value, i) => value === i), `round ${round}`);
  }
});
