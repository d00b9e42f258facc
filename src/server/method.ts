/**
 * Methods and the parts they get to answer a call.
 *
 * @module
 */

import type { CallOptions, Endpoint, Readers } from "../endpoint/endpoint.ts";
import type { Access } from "./access.ts";
import type { Capability } from "./keys.ts";
import type { Metrics } from "./metrics.ts";
import type { Readiness } from "./readiness.ts";
import type { StreamGate } from "./open_streams.ts";
import type { Call } from "./transport/call.ts";

/** Server options that methods need. */
export interface MethodSettings {
  /** Points one v4 insert may carry. */
  readonly maxInsertPointsV4: number;
  /** Streams one call may name. */
  readonly maxStreamsPerCall: number;
  /** Rows one SQL query may answer. */
  readonly maxSqlRows: number;
  /** Longest duration of one SQL query, ms. */
  readonly sqlTimeoutMs: number;
  /** True if streams may be obliterated. */
  readonly allowObliterate: boolean;
  /** True if clients are told of `InsertMany`: large messages are allowed. */
  readonly announcesBatches: boolean;
  /** Readiness: the server is not about to stop, and its database can be used. */
  readonly readiness: Readiness;
}

/** One call and everything around it. */
export interface Exchange {
  readonly call: Call;
  readonly endpoint: Endpoint;
  /** Threads that read; absent without workers. */
  readonly readers?: Readers | undefined;
  readonly access: Access;
  readonly metrics: Metrics;
  readonly settings: MethodSettings;
  /** Gate of calls on several streams. */
  readonly openStreams: StreamGate;
  /** Those on whose account what waits for the caller is kept: its connection, and its key. */
  readonly owners: readonly unknown[];
  /** Signal and deadline of the call, for the endpoint. */
  readonly options: CallOptions;
  /** Tells the operator of an error that the client is told nothing about. */
  readonly report: (error: unknown) => void;
}

/** Answers one call; what it throws becomes the status of the call. */
export type Method = (exchange: Exchange) => Promise<void>;

/** A method and how it is to be treated. */
export interface MethodEntry {
  readonly run: Method;
  /** True if the call counts against the limit of concurrent calls. @default {true} */
  readonly gated?: boolean;
  /** Capability without which the call is refused before its message is looked at. */
  readonly needs?: Capability;
  /** True if it sees every collection, so that callers kept to some may not use it. @default {false} */
  readonly seesAll?: boolean;
  /** Largest request message, bytes; at most the limit `messageBytes`. @default {1048576} */
  readonly messageBytes?: number;
  /** True if the call needs a valid key. @default {true} */
  readonly authenticated?: boolean;
  /**
   * True if the call has no end of its own, so that a stop does not wait for it. @default {false}
   */
  readonly endless?: boolean;
}

/** Largest request of a method that anybody may call and whose requests are next to nothing. */
export const SMALL_MESSAGE_BYTES = 65_536;

/** Largest request of a method that takes no points. */
export const REQUEST_BYTES: number = 1 << 20;

/** Methods by their name. */
export type ServiceTable = Readonly<Record<string, MethodEntry>>;
