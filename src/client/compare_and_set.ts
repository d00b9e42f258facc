/**
 * Reading and changing a stream's metadata.
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../core/errors.ts";
import type { CallOptions, Endpoint, StreamDescriptor } from "../endpoint/endpoint.ts";
import { delay, throwIfOver } from "../core/call.ts";

/** Attempts at a change that others keep overtaking. */
const MAX_ATTEMPTS = 10;
/** Longest pause before another attempt, ms; grows with each. */
const PAUSE_MS = 20;

/** The descriptor as it is now. */
export async function readDescriptor(
  endpoint: Endpoint,
  uuid: Uint8Array,
  call: CallOptions,
): Promise<StreamDescriptor> {
  const { descriptor } = await endpoint.streamInfo(
    { uuid, omitVersion: true, omitDescriptor: false },
    call,
  );
  return descriptor!;
}

/** The stream's descriptor, or `undefined` if it does not exist. */
export async function findDescriptor(
  endpoint: Endpoint,
  uuid: Uint8Array,
  call: CallOptions,
): Promise<StreamDescriptor | undefined> {
  try {
    return await readDescriptor(endpoint, uuid, call);
  } catch (error) {
    if (error instanceof BTrDBError && error.code === ErrorCode.NoSuchStream) return undefined;
    throw error;
  }
}

/**
 * Changes metadata by compare-and-set. Without an `expected` version the current one is read first,
 * and read again whenever another client was faster (423).
 *
 * @param action Name of the call, for errors.
 * @param attempt Tries with one expected version.
 * @param current Reads the current version.
 * @returns The version after the change.
 */
export async function compareAndSet(
  action: string,
  expected: bigint | undefined,
  attempt: (expected: bigint) => Promise<void>,
  current: () => Promise<bigint>,
  call: CallOptions,
): Promise<bigint> {
  if (expected !== undefined) {
    await attempt(expected);
    return expected + 1n;
  }
  for (let tries = 1;; tries++) {
    throwIfOver(call, action);
    const version = await current();
    try {
      await attempt(version);
      return version + 1n;
    } catch (error) {
      const overtaken = error instanceof BTrDBError &&
        error.code === ErrorCode.AnnotationVersionMismatch;
      if (!overtaken || tries === MAX_ATTEMPTS) throw error;
    }
    await delay(Math.random() * PAUSE_MS * tries, call, action);
  }
}
