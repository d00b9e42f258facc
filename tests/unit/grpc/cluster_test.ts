/** Routing: owners by hash, fresh mashes, other nodes for explicit versions, nodes that go away. */

import { assert, assertEquals, assertRejects, fail } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import type { Endpoint, Mash, MashMember, ServerInfo } from "../../../src/endpoint/endpoint.ts";
import { connectGrpc } from "../../../src/grpc/mod.ts";
import { Cluster } from "../../../src/grpc/call/cluster.ts";
import { readMembers } from "../../../src/grpc/call/members.ts";
import { Routes } from "../../../src/grpc/call/mash.ts";
import { murmur3 } from "../../../src/grpc/call/murmur3.ts";
import { type Address, addressText, parseAddress } from "../../../src/grpc/transport/address.ts";
import { testRefused } from "../../support/refused.ts";
import {
  bytes,
  failure,
  info,
  nearest,
  raw,
  versioned,
} from "../../support/grpc/scripted_answers.ts";
import {
  type Script,
  type ScriptedCall,
  ScriptedServer,
  status,
} from "../../support/grpc/scripted_server.ts";
import { InfoResponseSchema } from "../../../src/gen/btrdb_v4_pb.ts";
import { later } from "../../support/clock.ts";
import { until } from "../../support/until.ts";

const HASHES = 1n << 32n;

function member(start: bigint, end: bigint, grpcEndpoints: string[], more = {}): MashMember {
  return {
    ...{ hash: 1, nodename: "n", up: true, in: true, enabled: true, start, end, weight: 1n },
    ...{ readPreference: 1, httpEndpoints: [], grpcEndpoints, ...more },
  };
}

function mash(members: MashMember[]): Mash {
  const known = { revision: 1n, leader: "n", leaderRevision: 1n, totalWeight: 1n };
  return { ...known, healthy: true, unmapped: 0, members };
}

/** A uuid whose hash is in the lower or upper half. */
function uuidIn(half: "lower" | "upper"): Uint8Array {
  for (let i = 0;; i++) {
    const uuid = new Uint8Array(16).fill(i & 255, 0, 15);
    uuid[15] = i >> 8;
    if (murmur3(uuid) < 2 ** 31 === (half === "lower")) return uuid;
  }
}

Deno.test("Routes: the owner is up, in, and has the hash in its range", () => {
  const bootstrap = [{ host: "boot", port: 4410, tls: false }];
  const routes = new Routes(
    mash([
      member(0n, HASHES, ["down:4410"], { up: false }),
      member(0n, HASHES, ["out:4410"], { in: false }),
      member(5n, 5n, ["empty:4410"]),
      member(0n, 1n << 31n, ["a:4410", "a2:4411"]),
      member(1n << 31n, HASHES, ["b:4410"]),
    ]),
    { bootstraps: bootstrap, overTls: false },
  );
  assert(routes.routed);
  const owner = (half: "lower" | "upper") => routes.ownerOf(uuidIn(half))!.addresses;
  assertEquals(owner("lower"), [
    { host: "a", port: 4410, tls: false },
    { host: "a2", port: 4411, tls: true },
  ]);
  assertEquals(owner("upper"), [{ host: "b", port: 4410, tls: false }]);
});

Deno.test("Routes: gaps have no owner; one member, or none, needs no routing", () => {
  const gaps = new Routes(mash([member(0n, 10n, ["a"]), member(20n, 30n, ["b"])]), {
    bootstraps: [],
    overTls: false,
  });
  assertEquals(gaps.ownerOf(uuidIn("upper")), undefined);
  assertEquals(
    new Routes(mash([member(0n, HASHES, ["a"])]), { bootstraps: [], overTls: false }).routed,
    false,
  );
  assertEquals(new Routes(undefined, { bootstraps: [], overTls: false }).routed, false);
  assertEquals(
    new Routes(mash([member(0n, 9n, ["not an address"])]), { bootstraps: [], overTls: false })
      .owners,
    [],
  );
});

/** Two nodes that know each other, and which half of the hashes each has. */
class Pair implements AsyncDisposable {
  readonly nodes: ScriptedServer[] = [];
  /** Index of the node that has the lower half. */
  lower = 0;

  static async start(): Promise<Pair> {
    const pair = new Pair();
    for (const index of [0, 1]) {
      pair.nodes.push(await ScriptedServer.start((call) => pair.#answer(index, call)));
    }
    return pair;
  }

  #answer(index: number, call: ScriptedCall): Promise<void> {
    if (!call.path.startsWith("/grpcinterface")) throw status(12, "unknown service");
    if (call.rpc === "Info") return call.send(this.#info());
    if (call.rpc === "ListCollections") return call.send(new Uint8Array(0));
    const uuid = call.request.subarray(2, 18);
    const owner = murmur3(uuid) < 2 ** 31 ? this.lower : 1 - this.lower;
    if (owner !== index && call.rpc !== "RawValues") {
      return call.send(failure(405, "wrong endpoint"));
    }
    return call.send(call.rpc === "RawValues" ? raw([[1n, 1]]) : versioned(11n));
  }

  #info(): Uint8Array {
    const half = 1n << 31n;
    const ranges = [[0n, half], [half, HASHES]] as const;
    const members = ranges.map(([start, end], i) => ({
      ...{ nodename: `n${i}`, up: true, in: true, enabled: true, start, end },
      grpcEndpoints: this.nodes[i === 0 ? this.lower : 1 - this.lower]!.address,
    }));
    return info("4.15.9-deno", members);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) await node[Symbol.asyncDispose]();
  }
}

const RETRY = { retry: { initialDelayMs: 1, maxDelayMs: 20, attempts: 20 }, settleMs: 5 };

async function withPair(
  body: (endpoint: Endpoint, pair: Pair) => Promise<void>,
): Promise<void> {
  await using pair = await Pair.start();
  const endpoint = await connectGrpc({ addresses: [pair.nodes[0]!.address], ...RETRY });
  try {
    await body(endpoint, pair);
  } finally {
    await endpoint.close();
  }
}

Deno.test("Cluster: each call goes to the node that owns the stream, and only there", () =>
  withPair(async (endpoint, { nodes }) => {
    for (let i = 0; i < 4; i++) await endpoint.flush(uuidIn("lower"));
    for (let i = 0; i < 3; i++) await endpoint.flush(uuidIn("upper"));
    assertEquals(nodes.map((node) => node.count("Flush")), [4, 3]);
  }));

testRefused(
  "after 405 the mash is asked for again, and the call goes to the new owner",
  () =>
    withPair(async (endpoint, pair) => {
      await endpoint.flush(uuidIn("lower"));
      pair.lower = 1;
      await endpoint.flush(uuidIn("lower"));
      await endpoint.flush(uuidIn("upper"));
      assertEquals(pair.nodes.map((node) => node.count("Flush")), [3, 1]);
    }),
);

testRefused(
  "an explicit version, and what belongs to no stream, is read from any node that lives",
  () =>
    withPair(async (endpoint, { nodes }) => {
      await nodes[1]![Symbol.asyncDispose]();
      const range = { uuid: uuidIn("upper"), start: 0n, end: 10n, version: 11n };
      for await (const chunk of endpoint.rawValues(range)) assertEquals(chunk.columns.times[0], 1n);
      assertEquals(nodes[0]!.count("RawValues"), 1);
      for await (const _ of endpoint.listCollections({ prefix: "" }));
    }),
);

testRefused(
  "a write to a node that is gone waits until it, or another, has the stream",
  () =>
    withPair(async (endpoint, pair) => {
      await endpoint.flush(uuidIn("upper"));
      await pair.nodes[1]![Symbol.asyncDispose]();
      const asked = pair.nodes[0]!.count("Info");
      const moved = until("the map was asked for", () => pair.nodes[0]!.count("Info") > asked + 1)
        .then(() => pair.lower = 1);
      await endpoint.flush(uuidIn("upper"));
      await moved;
      assertEquals(pair.nodes[0]!.count("Flush"), 1);
    }),
);

testRefused("nobody owns the stream: 419 once patience is over", async () => {
  const members = ["a", "b"].map((nodename, i) => ({
    ...{ nodename, up: true, in: true, start: BigInt(i), end: BigInt(i + 1) },
    grpcEndpoints: `127.0.0.1:${i + 1}`,
  }));
  const script: Script = (call) => call.send(info("4.15.9-deno", members));
  await using server = await ScriptedServer.start(script);
  const retry = { initialDelayMs: 1, attempts: 3 };
  const endpoint = await connectGrpc({ addresses: [server.address], protocol: "v4", retry });
  const error = await assertRejects(() => endpoint.flush(uuidIn("upper")), BTrDBError);
  assertEquals([error.code, error.retryable], [419, true]);
  assert(server.count("Info") > 1);
  await endpoint.close();
});

testRefused("behind a proxy every call goes to the endpoint that is known", async () => {
  const script: Script = (call) => {
    if (call.rpc !== "Info") return call.send(versioned(12n));
    const proxy = { proxyEndpoints: ["127.0.0.1:1"] };
    return call.send(bytes(InfoResponseSchema, { majorVersion: 4, build: "4.15.9-deno", proxy }));
  };
  await using server = await ScriptedServer.start(script);
  const endpoint = await connectGrpc({ addresses: [server.address], protocol: "v4", retry: false });
  assertEquals((await endpoint.info()).proxyEndpoints, ["127.0.0.1:1"]);
  for (const half of ["lower", "upper"] as const) await endpoint.flush(uuidIn(half));
  assertEquals(server.count("Flush"), 2);
  await endpoint.close();
});

testRefused("a silent connection is found out and made anew", async () => {
  let silent = true;
  const never = new Promise<void>(() => {});
  const script: Script = (call) => {
    if (call.rpc === "Nearest" && silent) return never;
    if (call.path === "/grpcinterface.BTrDB/Info" && silent && server.count("Nearest") > 0) {
      // The probe: the next connection is a good one.
      silent = false;
      return never;
    }
    return call.send(call.rpc === "Info" ? info("4.15.9-deno") : nearest(0n));
  };
  await using server = await ScriptedServer.start(script);
  const options = { ...RETRY, probeAfterMs: 100, probeTimeoutMs: 500, protocol: "v4" as const };
  const endpoint = await connectGrpc({ addresses: [server.address], ...options });
  const request = { uuid: uuidIn("lower"), time: 0n, version: 11n, backward: false };
  assertEquals((await endpoint.nearest(request)).version.major, 11n);
  assert(server.count("Nearest") >= 2);
  await endpoint.close();
});

Deno.test("Cluster: a cluster that recovers is waited for by time: an insert after sixty 405 is stored once", async () => {
  // After a hard kill a node reads its journal back for 8 to 90 s: `Info` says unhealthy, writes 405.
  let refusals = 60;
  const member = { nodename: "a", up: true, in: true, start: 0n, end: 1n << 31n };
  const script: Script = (call) => {
    if (call.rpc === "Info") {
      return call.send(bytes(InfoResponseSchema, {
        build: "4.15.9-deno",
        majorVersion: 4,
        mash: { members: [member], healthy: refusals === 0, unmapped: 50 },
      }));
    }
    if (call.rpc === "StreamInfo") return call.send(versioned(11n));
    if (refusals === 0) return call.send(versioned(11n, 1n));
    refusals--;
    return call.send(failure(405, "wrong endpoint"));
  };
  await using server = await ScriptedServer.start(script);
  const recoveries: unknown[] = [];
  const endpoint = await connectGrpc({
    addresses: [server.address],
    protocol: "v4",
    retry: { initialDelayMs: 0 },
    settleMs: 1,
    hooks: { onRetry: ({ recovery }) => void recoveries.push(recovery) },
  });
  const columns = { times: BigInt64Array.of(1n), values: Float64Array.of(1) };
  const version = await endpoint.insert({ uuid: uuidIn("lower"), columns });
  assertEquals(version, { major: 11n, minor: 1n });
  assertEquals(server.count("Insert"), 61);
  assertEquals(recoveries.length, 60);
  assertEquals(
    { ...recoveries.at(-1) as { healthy: boolean; unmapped: number } }.unmapped,
    50,
  );
  await endpoint.close();
});

// Learnt from a plain server first, an address kept its plain connection when a server behind TLS named it,
// and the key went there in the clear.
Deno.test("Cluster: an address learnt over TLS does not use the plain connection that was there before", async () => {
  const [a, b] = [parseAddress("a:4410"), parseAddress("b:4411")];
  const opened: string[] = [];
  const open = (address: Address) => {
    opened.push(`${addressText(address)} ${address.tls}`);
    return { start: () => fail("nothing is called"), close: () => {} };
  };
  const transport = {
    ...{ canProbe: true, isTwoWay: true, takesBlocks: false, open },
  };
  const times = { probeAfterMs: 1000, probeTimeoutMs: 1000, muteAfterMs: 1000 };
  const cluster = new Cluster([a, b], { transport, watchers: {}, ...times }, readMembers);
  const told: ServerInfo = {
    ...{ protocol: "v4", majorVersion: 4, minorVersion: 15, build: "" },
    mash: mash([member(0n, 1n << 31n, ["c:4410"]), member(1n << 31n, HASHES, ["d:4410"])]),
  };
  const route = () => cluster.route(uuidIn("lower"), false).address;
  cluster.learn(told, a);
  assertEquals([route().tls, opened], [false, ["c:4410 false"]]);
  cluster.learn(told, b);
  assertEquals([route().tls, opened], [true, ["c:4410 false", "c:4410 true"]]);
  await cluster.close();
});

// A mash of some ten thousand addresses where nobody answers was asked to its end, 2 s each, by every call
// without a deadline.
Deno.test("Cluster: the search for one who knows the mash ends after half a minute", async () => {
  const open = () => ({ start: () => fail("nothing is called"), close: () => {} });
  const transport = { canProbe: true, isTwoWay: true, takesBlocks: false, open };
  const times = { probeAfterMs: 1000, probeTimeoutMs: 1000, muteAfterMs: 1000 };
  const bootstraps = Array.from({ length: 1000 }, (_, i) => parseAddress(`a${i}:4410`));
  const cluster = new Cluster(bootstraps, { transport, watchers: {}, ...times });
  const clock = new DisposableStack();
  let asked = 0;
  await cluster.resync(() => {
    asked++;
    clock.use(later(2000));
    return Promise.reject(new Error("nobody answers"));
  });
  clock.dispose();
  assert(asked <= 17, `${asked} were asked`);
  await cluster.close();
});

/** A cluster whose connections are never used, told of members at these addresses. */
function clusterOf(bootstraps: readonly Address[]): {
  cluster: Cluster;
  learn(addresses: readonly Address[]): void;
} {
  const open = () => ({ start: () => fail("nothing is called"), close: () => {} });
  const transport = { canProbe: true, isTwoWay: true, takesBlocks: false, open };
  const times = { probeAfterMs: 1000, probeTimeoutMs: 1000, muteAfterMs: 1000 };
  const cluster = new Cluster(bootstraps, { transport, watchers: {}, ...times }, readMembers);
  const learn = (addresses: readonly Address[]) => {
    const step = HASHES / BigInt(addresses.length);
    const members = addresses.map((address, i) =>
      member(BigInt(i) * step, BigInt(i + 1) * step, [addressText(address)])
    );
    const known = { protocol: "v4", majorVersion: 4, minorVersion: 15, build: "" } as const;
    cluster.learn({ ...known, mash: mash(members) }, bootstraps[0]!);
  };
  return { cluster, learn };
}

// Each lookup, and each read of an explicit version, made the names of all members anew: 2 ms a call with
// 5,000 of them.
Deno.test("Cluster: a call looks at few addresses, however many members there are", async () => {
  let looks = 0;
  const addresses = Array.from({ length: 500 }, (_, i): Address => ({
    get host() {
      looks++;
      return `m${i}`;
    },
    ...{ port: 4410, tls: false },
  }));
  const { cluster, learn } = clusterOf(addresses);
  learn(addresses);
  for (const lost of [false, true]) {
    for (const uuid of [undefined, uuidIn("lower")]) {
      if (lost) cluster.lost(cluster.route(uuid, true));
      looks = 0;
      for (let i = 0; i < 10; i++) cluster.route(uuid, true);
      assert(looks < 200, `${looks} looks at addresses in 10 calls`);
    }
  }
  await cluster.close();
});

Deno.test("Cluster: a member that has left and comes back is not held to what it was before", async () => {
  const [a, b, c] = [parseAddress("a:4410"), parseAddress("b:4410"), parseAddress("c:4410")];
  const { cluster, learn } = clusterOf([c]);
  const host = () => cluster.route(undefined, false).address.host;
  learn([a, b]);
  assertEquals(host(), "a");
  cluster.lost(cluster.route(undefined, false));
  assertEquals(host(), "b");
  learn([b, c]);
  learn([a, b]);
  assertEquals(host(), "a");
  await cluster.close();
});
