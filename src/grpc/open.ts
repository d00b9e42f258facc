/**
 * Opens a connection: finds the protocol, the kind of server and the workarounds it needs.
 *
 * @module
 */

import { BTrDBError } from "../core/errors.ts";
import type { CallOptions, Endpoint, ServerInfo } from "../endpoint/endpoint.ts";
import { type Address, addressText } from "./transport/address.ts";
import { Caller } from "./call/caller.ts";
import type { ChannelSettings } from "./transport/connection.ts";
import { Cluster } from "./call/cluster.ts";
import type { ReadMembers } from "./call/members.ts";
import type { MetadataCodec } from "./wire/metadata_codec.ts";
import { codecV5 } from "./wire/metadata_codec_v5.ts";
import { GrpcEndpoint } from "./endpoint.ts";
import { type RetryOptions, RetryPolicy, Tries, verdict } from "./call/retry.ts";
import { serverKind } from "./server_kind.ts";
import type { CallHooks, Tracer } from "./transport/telemetry.ts";
import type { Transport } from "./transport/wire.ts";
import { invalidType } from "../core/argument_error.ts";

type Protocol = MetadataCodec["protocol"];

/** Protocols in the order in which they are asked for. */
const PROTOCOLS: readonly Protocol[] = ["v5", "v4"];

/** The codec of a protocol; that of v4 is loaded when it is first spoken. */
async function codecOf(protocol: Protocol): Promise<MetadataCodec> {
  if (protocol === "v5") return codecV5;
  return (await import("./wire/metadata_codec_v4.ts")).codecV4;
}

/** Options of a connection, however it is carried. */
export interface ConnectionOptions extends CallOptions {
  /** @default {"auto"} asks v5 `Info`, then v4 */
  readonly protocol?: "auto" | "v4" | "v5";
  /** Sent as `authorization: bearer …`. */
  apiKey?: string | undefined;
  /**
   * Hosts that addresses learnt from servers may have: names, addresses, `*.example.org`. The key is
   * sent there too. @default {undefined} any host, but only with TLS where TLS was spoken before
   */
  allowedHosts?: readonly string[];
  /** Limits of retries; `false` for none. */
  retry?: RetryOptions | false | undefined;
  /** Called for every RPC. */
  hooks?: CallHooks | undefined;
  /** An OpenTelemetry tracer, or anything like it. */
  tracer?: Tracer | undefined;
  /** Workarounds for real servers. @default {"auto"} by what the server says it is */
  quirks?: "auto" | "on" | "off";
  /** Longest message taken from a server, decompressed, bytes. @default {67108864} */
  maxMessageBytes?: number | undefined;
  /**
   * Silence after which a connection with calls gets a keepalive probe, ms. @default {10000}
   */
  probeAfterMs?: number;
  /** Longest wait for the answer to a keepalive probe, ms. @default {5000} */
  probeTimeoutMs?: number;
  /**
   * Longest time between the beginning of an answer (its headers) and its first message, ms.
   * @default {60000}
   */
  muteAfterMs?: number;
  /**
   * Longest time that requests under way to a lost server may take to arrive, ms. @default {200}
   */
  settleMs?: number;
}

/** Longest silence of an address while there is another to be asked, ms. */
const ADDRESS_MS = 5_000;

/** A message of 5,000 points has 110 KB; a server has no reason to send what is larger than this. */
export const MAX_MESSAGE_BYTES: number = 64 << 20;

/** Messages that are bounded below this may be too short for the texts of hundreds of errors. */
const MIN_BATCHES_MESSAGE_BYTES = 4 << 20;

/** Tries of the first call: whoever connects wants to know soon. */
const CONNECT_ATTEMPTS = 4;

/**
 * Connects to a server or cluster.
 *
 * @param transport Carries the calls.
 * @param addresses Addresses that lead to one cluster, best first.
 * @param options Key, protocol and limits.
 * @param readMembers Reads the members of a cluster; absent: they cannot be reached.
 * @returns The endpoint.
 * @throws {TypeError} If there is no endpoint, or one is malformed.
 * @throws {BTrDBError} `UNAVAILABLE` if nobody answers, `UNAUTHENTICATED` if the key is wrong,
 * `UNIMPLEMENTED` if the server speaks neither protocol.
 */
export async function connectOver(
  transport: Transport,
  addresses: readonly Address[],
  options: ConnectionOptions,
  readMembers?: ReadMembers,
): Promise<Endpoint> {
  if (addresses.length === 0) throw invalidType("Cannot connect: addresses is empty");
  checkKey(options.apiKey);
  checkWatchers(options);
  const policy = new RetryPolicy(options.retry, options.hooks);
  const cluster = new Cluster(addresses, settingsOf(transport, options), readMembers);
  try {
    const { protocol = "auto" } = options;
    const protocols = protocol === "auto" ? PROTOCOLS : [protocol];
    const { caller, codec, info, address } = await introduce(
      cluster,
      policy,
      protocols,
      addresses,
      options,
    );
    cluster.learn(info, address);
    const kind = serverKind(info, options.quirks);
    const arrowSubscribe = kind.arrowSubscribe && transport.isTwoWay;
    const { maxMessageBytes = MAX_MESSAGE_BYTES } = options;
    const insertMany = kind.insertMany && maxMessageBytes >= MIN_BATCHES_MESSAGE_BYTES;
    return new GrpcEndpoint({
      caller,
      codec,
      kind: { ...kind, arrowSubscribe, insertMany, blocks: kind.blocks && transport.takesBlocks },
      settleMs: options.settleMs ?? 200,
    });
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

/**
 * A key that no header can carry would only show at the first call; the message does not repeat it.
 */
function checkKey(apiKey: string | undefined): void {
  if (apiKey === undefined || /^[\x21-\x7e]+$/.test(apiKey)) return;
  throw invalidType(
    "Cannot connect: apiKey is empty, or has white space or other characters than ASCII",
  );
}

/** A watcher that is no function would only show at the first call, which has no place for its error. */
function checkWatchers({ hooks, tracer }: ConnectionOptions): void {
  const { onStart, onEnd, onRetry } = hooks ?? {};
  const startSpan = tracer && (tracer.startSpan ?? null);
  for (const [name, value] of Object.entries({ onStart, onEnd, onRetry, startSpan })) {
    if (value !== undefined && typeof value !== "function") {
      throw invalidType(`Cannot connect: ${name} is no function`);
    }
  }
}

function settingsOf(transport: Transport, options: ConnectionOptions): ChannelSettings {
  return {
    probeAfterMs: 10_000,
    probeTimeoutMs: 5_000,
    muteAfterMs: 60_000,
    ...options,
    transport,
    watchers: options,
  };
}

/** The server that answered. */
interface Introduction {
  caller: Caller;
  codec: MetadataCodec;
  info: ServerInfo;
  /** Address that answered. */
  address: Address;
}

/** Asks every address for `Info`, in every protocol that may be spoken, until one answers. */
async function introduce(
  cluster: Cluster,
  policy: RetryPolicy,
  protocols: readonly Protocol[],
  addresses: readonly Address[],
  options: CallOptions,
): Promise<Introduction> {
  const tries = new Tries(policy, { rpc: "Info", options });
  for (let round = 1;; round++) {
    let failure: unknown;
    for (const [i, address] of addresses.entries()) {
      const share = shareOf(options, addresses.length - i);
      try {
        return await ask(cluster, policy, protocols, address, share);
      } catch (error) {
        const silent = share !== options && isTimeout(error);
        if (!silent && verdict(error) === "fail") throw error;
        if (silent) cluster.lost(cluster.channel(address));
        failure = error;
      }
    }
    if (round >= CONNECT_ATTEMPTS) throw unreachable(addresses, failure);
    await tries.pause(failure).catch((error) => {
      throw error === failure ? unreachable(addresses, failure) : error;
    });
  }
}

/**
 * Signal and deadline for one address: while others are left to be asked, one that says nothing
 * must not use up all the time there is.
 *
 * @param left Addresses not asked yet, this one included.
 */
function shareOf(options: CallOptions, left: number): CallOptions {
  if (left === 1) return options;
  const now = Date.now();
  const share = ((options.deadlineMs ?? Infinity) - now) / left;
  return { ...options, deadlineMs: now + Math.min(ADDRESS_MS, share) };
}

function isTimeout(error: unknown): boolean {
  return error instanceof BTrDBError && error.code === 0 && error.status === "DEADLINE_EXCEEDED";
}

async function ask(
  cluster: Cluster,
  policy: RetryPolicy,
  protocols: readonly Protocol[],
  address: Address,
  options: CallOptions,
): Promise<Introduction> {
  for (const protocol of protocols) {
    const codec = await codecOf(protocol);
    const caller = new Caller(cluster, policy, codec.protocol, codec.service);
    try {
      const info = await caller.info(cluster.channel(address), options);
      return { caller, codec, info, address };
    } catch (error) {
      const unknown = error instanceof BTrDBError && error.status === "UNIMPLEMENTED";
      if (!unknown) throw error;
      if (protocol !== protocols.at(-1)) continue;
      throw await speaksAnother(cluster, policy, protocols, address, options) ?? error;
    }
  }
  throw invalidType("Cannot connect: protocols is empty");
}

/**
 * The error of a server that speaks the protocol that was not asked for; `undefined` if it does
 * not.
 */
async function speaksAnother(
  cluster: Cluster,
  policy: RetryPolicy,
  asked: readonly Protocol[],
  address: Address,
  options: CallOptions,
): Promise<BTrDBError | undefined> {
  const protocol = PROTOCOLS.find((protocol) => !asked.includes(protocol));
  if (protocol === undefined) return undefined;
  const other = await codecOf(protocol);
  const caller = new Caller(cluster, policy, other.protocol, other.service);
  const answer = await caller.info(cluster.channel(address), options).catch(() => undefined);
  if (answer === undefined) return undefined;
  return new BTrDBError(
    `Cannot connect to ${addressText(address)} with protocol ${asked[0]}: it speaks ` +
      `${other.protocol}`,
    { status: "UNIMPLEMENTED", rpc: "Info" },
  );
}

function unreachable(addresses: readonly Address[], cause: unknown): BTrDBError {
  const places = addresses.map(addressText).join(", ");
  const why = cause instanceof Error ? cause.message : String(cause);
  return new BTrDBError(`Cannot connect to ${places}: ${why}`, {
    status: "UNAVAILABLE",
    rpc: "Info",
    cause,
  });
}
