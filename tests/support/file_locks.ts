/** Locks on files, as Linux knows them. */

/**
 * The locks that this process holds on a file, as the system lists them with its open files. The list
 * of all locks of the system is no use: it comes in pieces, and leaves some out if others come and go
 * between two of them.
 */
export function locksOn(path: string): string[] {
  const inode = `:${Deno.statSync(path).ino} `;
  return Array.from(Deno.readDirSync("/proc/self/fdinfo"), ({ name }) => locksBy(name)).flat()
    .filter((line) => line.includes(inode))
    .sort();
}

/** The locks that were taken by one open file of this process; none if it is closed by now. */
function locksBy(descriptor: string): string[] {
  try {
    return Deno.readTextFileSync(`/proc/self/fdinfo/${descriptor}`).split("\n")
      .filter((line) => line.startsWith("lock:"))
      .map((line) => line.replace(/^lock:\s*\d+: /, ""));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
