/**
 * Threads of the command.
 *
 * @module
 */

/**
 * Whether a thread can be started: it loads modules of the package, which takes the right to read
 * them where they are files.
 */
export function mayStartThreads(): boolean {
  const path = new URL(import.meta.url);
  if (path.protocol !== "file:") return true;
  return Deno.permissions.querySync({ name: "read", path }).state === "granted";
}
