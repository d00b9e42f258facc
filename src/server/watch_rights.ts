/**
 * Looks at the rights of callers again while they are answered.
 *
 * @module
 */

import type { Access } from "./access.ts";
import { GrpcFailure } from "./transport/status.ts";

/** Interval at which the rights of long calls are looked at again, ms. */
const RECHECK_MS = 1_000;

/**
 * Runs `work`, and ends it when a stream leaves the collections that the caller may see.
 *
 * @param cancel Ends the work.
 */
export async function watchRights(
  access: Access,
  cancel: (reason: GrpcFailure) => void,
  work: () => Promise<void>,
): Promise<void> {
  if (!access.limited) return await work();
  const end = (error: unknown) => {
    if (error instanceof GrpcFailure) cancel(error);
  };
  const timer = setInterval(() => void access.recheck().catch(end), RECHECK_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
}
