/**
 * Messages between the thread of a database and its readers.
 *
 * @module
 */

import { ARGUMENT_ERROR_CODE, invalidType, outOfRange } from "../../core/argument_error.ts";
import { BTrDBError } from "../../core/errors.ts";
import type { Readers } from "../../endpoint/endpoint.ts";
import type { ReaderFile } from "../options.ts";

/** Reads that threads do. */
export type ReadMethod = Exclude<keyof Readers, "close" | "frames">;

/** Frames whose memory has moved. */
export interface MovedFrames {
  readonly frames: Uint8Array<ArrayBuffer>;
  readonly points: number;
}

/**
 * Order to a reader. Of each read one chunk is made ahead; `more` asks for another one. A `ping` is
 * answered between slices of reads. `spare` is memory of messages that have been sent.
 */
export type ReaderOrder =
  | { readonly type: "open"; readonly file: ReaderFile }
  | {
    readonly type: "read";
    readonly id: number;
    readonly method: ReadMethod;
    readonly request: unknown;
    /** Given where frames are asked for: tells whether windows have `stddev` in them. */
    readonly encoding: { readonly withStddev: boolean } | undefined;
    readonly deadlineMs: number | undefined;
    readonly spare: readonly ArrayBuffer[];
  }
  | { readonly type: "more"; readonly id: number; readonly spare: readonly ArrayBuffer[] }
  | { readonly type: "stop"; readonly id: number }
  | { readonly type: "ping" }
  | { readonly type: "close" };

/** Report of a reader. Nothing follows a chunk that is the last one. */
export type ReaderReport =
  | { readonly type: "opened" }
  | { readonly type: "refused"; readonly error: ErrorParts }
  | {
    readonly type: "chunk";
    readonly id: number;
    readonly chunk: unknown;
    readonly isLast: boolean;
  }
  | { readonly type: "end"; readonly id: number; readonly error: ErrorParts | undefined }
  | { readonly type: "pong" }
  | { readonly type: "closed" };

/** An error without its class, which no message carries. */
export interface ErrorParts {
  readonly kind: "btrdb" | "type" | "range" | "other";
  readonly message: string;
  readonly code: number;
  readonly status: string;
  readonly uuid: string | undefined;
  readonly retryable: boolean;
}

/** Takes an error apart. */
export function partsOf(error: unknown): ErrorParts {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof BTrDBError) {
    const { code, status, uuid, retryable } = error;
    return { kind: "btrdb", message, code, status, uuid, retryable };
  }
  const isArgument = (error as { code?: unknown } | undefined)?.code === ARGUMENT_ERROR_CODE;
  const kind = !isArgument ? "other" : error instanceof RangeError ? "range" : "type";
  return { kind, message, code: 0, status: "", uuid: undefined, retryable: false };
}

/** Makes the error again. */
export function errorOf({ kind, message, code, status, uuid, retryable }: ErrorParts): Error {
  if (kind === "type") return invalidType(message);
  if (kind === "range") return outOfRange(message);
  if (kind === "other") return new Error(message);
  return new BTrDBError(message, {
    code,
    status,
    retryable,
    ...(uuid === undefined ? {} : { uuid }),
  });
}
