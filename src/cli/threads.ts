/**
 * Permission of the command to start worker threads.
 *
 * @module
 */

/**
 * Tells whether worker threads can be started. They load modules of the package, which needs read
 * permission where these are files.
 */
export function mayStartThreads(): boolean {
  const path = new URL(import.meta.url);
  if (path.protocol !== "file:") return true;
  return Deno.permissions.querySync({ name: "read", path }).state === "granted";
}
