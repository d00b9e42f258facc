/**
 * Targets that are files.
 *
 * @module
 */

/** The path of a `file:` target. */
export function filePath(target: string): string | undefined {
  if (!target.startsWith("file:")) return undefined;
  return target.startsWith("file://")
    ? decodeURIComponent(new URL(target).pathname)
    : target.slice("file:".length);
}
