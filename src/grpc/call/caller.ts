/**
 * The chokepoint: every RPC of the client is made here, so that route, deadline, signal, key,
 * errors and retries are the same for all.
 *
 * @module
 */

import { abortable, throwIfOver } from "../../core/call.ts";
import type { CallOptions, ServerInfo } from "../../endpoint/endpoint.ts";
import type { Rpc, RpcRequest } from "../transport/rpc.ts";
import type { Channel } from "../transport/channel.ts";
import type { Cluster } from "./cluster.ts";
import {
  type CallContext,
  decoded,
  isUnavailable,
  lateError,
  lostPeer,
  repeatedPart,
  wrongAnswer,
} from "../errors.ts";
import { decodeInfo } from "../wire/messages.ts";
import { type RetryPolicy, Tries, verdict } from "./retry.ts";

/**
 * Messages of an answer in a row that bring nothing. Front ends that leave out what the caller may not
 * see send some; a server that sends more has nothing to say and does not stop.
 */
const MAX_EMPTY = 16_384;

/** A call: RPC, stream, options and routing. */
export interface CallSpec extends CallContext {
  /** Full gRPC method of a call that is not of the service of the protocol. */
  readonly path?: string | undefined;
  /** True if a node may answer that does not own the stream: reads of explicit versions. */
  readonly anyNode?: boolean | undefined;
  /** True if the call changes something: then it waits for the owner of the stream to come back. */
  readonly isWrite?: boolean | undefined;
  /** True if the call has no end of its own. */
  readonly endless?: boolean | undefined;
}

/** A server stream, one try. */
export interface OpenCall {
  readonly rpc: Rpc;
  /** The next message, `undefined` after the last; a lost peer is noted. */
  read(): Promise<Uint8Array | undefined>;
  /** Stops the call if it is not at its end. */
  end(): void;
}

/** A server stream that is retried until it has come to its end. */
export interface RetriedStream<T> {
  /** The call of the next try; `undefined` if nothing is left to ask for. */
  open(attempt: number): Promise<OpenCall | undefined>;
  /** Reads a message; `undefined` if nothing of it is to be yielded. */
  read(bytes: Uint8Array, call: OpenCall): T | undefined;
  /**
   * Throws if another try would be wrong.
   *
   * @returns True if the next try begins at once, because nothing has failed.
   */
  recover?(error: unknown): boolean;
}

/** Makes the calls of one connection. */
export class Caller {
  readonly policy: RetryPolicy;
  readonly protocol: "v4" | "v5";
  readonly #cluster: Cluster;
  readonly #service: string;

  /**
   * @param cluster Servers that answer the calls.
   * @param policy Limits of retries.
   * @param protocol Version of the protocol.
   * @param service gRPC service, `package.Name`.
   */
  constructor(cluster: Cluster, policy: RetryPolicy, protocol: "v4" | "v5", service: string) {
    this.#cluster = cluster;
    this.policy = policy;
    this.protocol = protocol;
    this.#service = service;
  }

  /** The retries of a call that begins. */
  tries(spec: CallSpec): Tries {
    const { rpc, options, isWrite } = spec;
    return new Tries(this.policy, { rpc, options, isWrite, health: () => this.#cluster.health });
  }

  /**
   * Makes a unary call and retries it while the rules allow: only for calls that change nothing
   * when they are made twice.
   *
   * @param decode Reads the answer; throws what its `stat` says.
   */
  async unary<T>(
    spec: CallSpec,
    message: Uint8Array,
    decode: (bytes: Uint8Array) => T,
  ): Promise<T> {
    const tries = this.tries(spec);
    while (true) {
      try {
        const result = await this.once(spec, message, decode, tries.attempt);
        tries.succeeded();
        return result;
      } catch (error) {
        await this.again(error, tries);
      }
    }
  }

  /**
   * Makes a unary call, once.
   *
   * @param decode Reads the answer, of the given server; throws what its `stat` says.
   * @param attempt Number of the try, from 1.
   * @param points Points sent, for whoever watches.
   */
  async once<T>(
    spec: CallSpec,
    message: Uint8Array,
    decode: (bytes: Uint8Array, peer: string) => T,
    attempt = 1,
    points = 0,
  ): Promise<T> {
    const channel = this.#cluster.route(spec.uuid, spec.anyNode === true);
    const turn = channel.limit.take(spec);
    if (turn !== undefined) await turn;
    try {
      return await this.#unary(channel, spec, message, decode, attempt, points);
    } finally {
      channel.limit.release();
    }
  }

  async #unary<T>(
    channel: Channel,
    spec: CallSpec,
    message: Uint8Array,
    decode: (bytes: Uint8Array, peer: string) => T,
    attempt: number,
    points: number,
  ): Promise<T> {
    const rpc = channel.start({ ...this.#call(spec), message, attempt });
    rpc.recorder.points = points;
    try {
      const bytes = await rpc.read();
      if (bytes === undefined) throw lostPeer(spec, channel.peer, "it answered nothing");
      if (await rpc.read() !== undefined) throw repeatedPart(spec);
      return decoded(spec, () => decode(bytes, channel.peer));
    } catch (error) {
      if (isUnavailable(error)) this.#cluster.lost(channel);
      throw error;
    } finally {
      rpc.cancel();
    }
  }

  /**
   * Starts a server stream, once.
   *
   * @param open True if request messages follow.
   */
  async open(
    spec: CallSpec,
    message: Uint8Array,
    attempt: number,
    open = false,
  ): Promise<OpenCall> {
    const channel = this.#cluster.route(spec.uuid, spec.anyNode === true);
    const request = { ...this.#call(spec), message, attempt, open };
    const rpc = spec.endless === true
      ? channel.start(request)
      : await this.#startInTurn(channel, request);
    let empty = true;
    const read = async () => {
      try {
        const bytes = await rpc.read();
        if (bytes === undefined && empty) {
          throw lostPeer(spec, channel.peer, "it answered nothing");
        }
        empty = false;
        return bytes;
      } catch (error) {
        if (isUnavailable(error)) this.#cluster.lost(channel);
        throw error;
      }
    };
    return { rpc, read, end: () => rpc.cancel() };
  }

  /**
   * Starts a streamed call when it has its turn, which it keeps until the answer begins: an answer
   * that its reader has stopped reading must not keep other calls waiting.
   */
  async #startInTurn(channel: Channel, request: RpcRequest): Promise<Rpc> {
    const turn = channel.limit.take(request);
    if (turn !== undefined) await turn;
    try {
      return channel.start(request, () => channel.limit.release());
    } catch (error) {
      channel.limit.release();
      throw error;
    }
  }

  /**
   * Reads a server stream to its end, through as many connections as it takes.
   *
   * @param spec The call, whose signal and deadline bound all tries together.
   * @param stream Opens and reads it.
   */
  async *stream<T>(
    spec: CallSpec,
    stream: RetriedStream<T>,
  ): AsyncGenerator<Exclude<T, undefined>, void, undefined> {
    const tries = this.tries(spec);
    let empty = 0, taken = 0;
    while (true) {
      let call: OpenCall | undefined;
      // A try may repeat what those before it have brought.
      let known = taken;
      try {
        call = await stream.open(tries.attempt);
        if (call === undefined) return;
        for (let bytes = await call.read(); bytes !== undefined; bytes = await call.read()) {
          // The rest may have come in time for a reader who is late.
          throwIfOver(spec.options, () => lateError(spec));
          const item = decoded(spec, () => stream.read(bytes, call!));
          if (item === undefined && --known < 0 && ++empty > MAX_EMPTY) {
            throw wrongAnswer(`it has over ${MAX_EMPTY} empty messages`, spec);
          }
          // A message that only repeats what was taken is no progress: it may be all that ever comes.
          if (item === undefined) continue;
          tries.progress();
          empty = 0;
          taken++;
          yield item as Exclude<T, undefined>;
        }
        return tries.succeeded();
      } catch (error) {
        if (stream.recover?.(error) !== true) await this.again(error, tries);
      } finally {
        call?.end();
      }
    }
  }

  /**
   * Prepares the retry of a failed call: waits, and asks for the mash where the error is about it.
   *
   * @throws `error`, if the call must not be retried.
   */
  async again(error: unknown, tries: Tries): Promise<void> {
    await tries.pause(error);
    if (verdict(error) !== "resync") return;
    await abortable(this.resync(), tries.call.options, () => lateError(tries.call));
  }

  /** Asks for the mash again. */
  resync(): Promise<void> {
    return this.#cluster.resync((channel, options) => this.info(channel, options));
  }

  /** Asks one node what it is. */
  info(channel: Channel, options: CallOptions): Promise<ServerInfo> {
    const spec: CallSpec = { rpc: "Info", options };
    const decode = (bytes: Uint8Array) => decodeInfo(bytes, spec, this.protocol);
    return this.#unary(channel, spec, new Uint8Array(0), decode, 1, 0);
  }

  /** Finishes what is in flight and disconnects. */
  close(): Promise<void> {
    return this.#cluster.close();
  }

  #call({ rpc, path, uuid, endless, options }: CallSpec): Omit<RpcRequest, "message" | "attempt"> {
    return { rpc, path: path ?? `/${this.#service}/${rpc}`, uuid, endless, options };
  }
}
