/** Tests in which connections are refused. */

/**
 * A test in which connections are refused: the gRPC library keeps an unreferenced timer of each for
 * up to two seconds after it was closed, which the sanitizers take for a leak.
 */
export function testRefused(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}
