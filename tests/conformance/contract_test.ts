/**
 * The contract: the same cases against every kind of database. A case holds in memory, in a file,
 * and over gRPC with either protocol.
 *
 * `BTRDB_CONTRACT_TARGET=host:port deno task contract` runs them against a database of one's own
 * instead (docs/clusters.md). `CONTRACT=insert` runs the cases whose names contain the word,
 * `WALK_SEEDS=5,6` other random walks.
 *
 * @module
 */

import { BTrDB, BTrDBError, connect, verifyFile } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
import { assert, assertEquals } from "@std/assert";
import { connectGrpc } from "../../src/grpc/mod.ts";
import { override } from "../support/override_endpoint.ts";
import { CASES } from "./cases.ts";
import { Bench, UNSUPPORTED } from "./support.ts";

type Use = (db: BTrDB) => Promise<void>;

async function inMemory(use: Use): Promise<void> {
  await using db = await connect("memory:");
  await use(db);
}

async function inFile(use: Use): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/contract.btrdb`;
    {
      await using db = await connect(`file:${path}`);
      await use(db);
    }
    const { problems } = await verifyFile(path);
    assertEquals(problems, []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function overGrpc(protocol: "v4" | "v5"): (use: Use) => Promise<void> {
  return async (use) => {
    await using served = await connect("memory:");
    await using server = await serve(served, { port: 0 });
    await using db = await connect(`127.0.0.1:${server.port}`, { protocol });
    await use(db);
  };
}

/** A server whose reads of many points are in threads. */
function overWorkers(protocol: "v4" | "v5"): (use: Use) => Promise<void> {
  return async (use) => {
    const folder = await Deno.makeTempDir();
    try {
      await using served = await connect(`file:${folder}/contract.btrdb`);
      await using server = await serve(served, { port: 0, workers: 2 });
      await using db = await connect(`127.0.0.1:${server.port}`, { protocol });
      await use(db);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  };
}

/**
 * Two servers of one file: writes and subscriptions go to the one that writes, everything else to one
 * that only reads. So every read of a case must see what the case was acknowledged elsewhere.
 */
function besideWriter(protocol: "v4" | "v5", workers = 0): (use: Use) => Promise<void> {
  return async (use) => {
    const folder = await Deno.makeTempDir();
    try {
      const file = `file:${folder}/contract.btrdb`;
      await using written = await connect(file);
      await using writing = await serve(written, { port: 0 });
      await using read = await connect(file, { embedded: { readOnly: true } });
      await using reading = await serve(read, { port: 0, workers });
      const writer = await connectGrpc({ addresses: [writing.address], protocol });
      const reader = await connectGrpc({ addresses: [reading.address], protocol });
      await using db = new BTrDB(override(reader, {
        insert: writer.insert.bind(writer),
        deleteRange: writer.deleteRange.bind(writer),
        flush: writer.flush.bind(writer),
        obliterate: writer.obliterate.bind(writer),
        create: writer.create.bind(writer),
        setAnnotations: writer.setAnnotations.bind(writer),
        setTags: writer.setTags.bind(writer),
        subscribe: writer.subscribe.bind(writer),
      }));
      try {
        await use(db);
      } finally {
        await writer.close();
      }
      const wrote = /rpc="(Insert|InsertMany|Create|Delete|Flush)"/.exec(reading.metrics());
      assertEquals(wrote?.[0], undefined);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  };
}

/** Every insert shares its message with one of no points into the same stream. */
async function insertsTogether(use: Use): Promise<void> {
  await using served = await connect("memory:");
  await using server = await serve(served, { port: 0 });
  // Without retries nothing is looked up before an insert, so that both go in the same turn.
  const address = `127.0.0.1:${server.port}`;
  const endpoint = await connectGrpc({ addresses: [address], protocol: "v5", retry: false });
  const empty = { times: new BigInt64Array(0), values: new Float64Array(0) };
  await using db = new BTrDB(override(endpoint, {
    insert(request, options) {
      endpoint.insert({ uuid: request.uuid, columns: empty }, options).catch(() => {});
      return endpoint.insert(request, options);
    },
  }));
  await use(db);
  const counted = /rpc="InsertMany",code="OK"\} (\d+)/.exec(server.metrics());
  assert(Number(counted?.[1]) > 20, `inserts have shared ${counted?.[1]} messages`);
}

function overGrpcWeb(protocol: "v4" | "v5"): (use: Use) => Promise<void> {
  return async (use) => {
    await using served = await connect("memory:");
    await using server = await serve(served, { port: 0, http: { port: 0 } });
    await using db = await connect(`grpc-web://127.0.0.1:${server.httpPort}`, { protocol });
    await use(db);
  };
}

/** A server of `protocol` in front of a client of `behind`, which is in front of a server. */
function throughProxy(
  protocol: "v4" | "v5",
  behind: "v4" | "v5",
): (use: Use) => Promise<void> {
  return async (use) => {
    await using served = await connect("memory:");
    await using server = await serve(served, { port: 0 });
    await using between = await connect(`127.0.0.1:${server.port}`, { protocol: behind });
    await using proxy = await serve(between, { port: 0 });
    await using db = await connect(`127.0.0.1:${proxy.port}`, { protocol });
    await use(db);
  };
}

function contract(
  name: string,
  protocol: "v4" | "v5" | "embedded",
  open: (use: Use) => Promise<void>,
  features: "v4" | "v5" | "embedded" = protocol,
): void {
  const wanted = Deno.env.get("CONTRACT") ?? "";
  Deno.test(`contract: ${name}`, async (t) => {
    await open(async (db) => {
      for (const { name, run } of CASES) {
        if (name.includes(wanted)) await t.step(name, () => run(new Bench(db, protocol, features)));
      }
    });
  });
}

/** Features of a database. A server that speaks v5 may be a proxy for one that does not. */
async function featuresOf<P extends Bench["features"]>(db: BTrDB, protocol: P): Promise<P | "v4"> {
  if (protocol !== "v5") return protocol;
  const stream = await new Bench(db, protocol).stream([[0n, 1], [1n, 2]]);
  const { stddev } = await stream.windows(0n, 8n, 8n).collect();
  return stddev === undefined || Number.isNaN(stddev[0]) ? "v4" : protocol;
}

/** The contract against a database of the user's, where every case makes collections of its own. */
function contractOf(target: string): void {
  Deno.test({
    name: `contract: ${target}`,
    // Connections of a cluster that was lost keep a timer for a while.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn(t) {
      await using db = await connect(target, { timeoutMs: 60_000 });
      const { protocol, build } = await db.info();
      const features = await featuresOf(db, protocol);
      console.warn(`${target}: protocol ${protocol}, build ${build}`);
      if (features === "v4") {
        console.warn(
          "skipped, a database of v4 does not have them, and must refuse them: merge policies, " +
            "rounding, standard deviations, changes of tags, SQL, subscriptions",
        );
      }
      const wanted = Deno.env.get("CONTRACT") ?? "";
      for (const { name, run } of CASES) {
        if (!name.includes(wanted)) continue;
        await t.step(name, async () => {
          try {
            await run(new Bench(db, protocol, features));
          } catch (error) {
            if (!(error instanceof BTrDBError) || !UNSUPPORTED.has(error.code)) throw error;
            console.warn(`skipped, the server does not support it: ${name}: ${error.message}`);
          }
        });
      }
    },
  });
}

const target = Deno.env.get("BTRDB_CONTRACT_TARGET") ?? "";
if (target === "") allKinds();
else contractOf(target);

function allKinds(): void {
  contract("memory", "embedded", inMemory);
  contract("file", "embedded", inFile);
  contract("gRPC v4", "v4", overGrpc("v4"));
  contract("gRPC v5", "v5", overGrpc("v5"));
  contract("gRPC v5, inserts share messages", "v5", insertsTogether);
  contract("workers, gRPC v4", "v4", overWorkers("v4"));
  contract("workers, gRPC v5", "v5", overWorkers("v5"));
  contract("beside the writer, gRPC v4", "v4", besideWriter("v4"));
  contract("beside the writer, gRPC v5", "v5", besideWriter("v5"));
  contract("beside the writer, workers, gRPC v5", "v5", besideWriter("v5", 2));
  contract("gRPC-Web v4", "v4", overGrpcWeb("v4"));
  contract("gRPC-Web v5", "v5", overGrpcWeb("v5"));
  contract("proxy v4 over v4", "v4", throughProxy("v4", "v4"));
  contract("proxy v5 over v4", "v5", throughProxy("v5", "v4"), "v4");
  contract("proxy v5 over v5", "v5", throughProxy("v5", "v5"));
}
