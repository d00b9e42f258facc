/** The processes that run SQL queries of this program or one it started, as Linux knows them. */

/** True where {@linkcode sqlProcesses} can look. */
export const CAN_LIST_PROCESSES: boolean = Deno.build.os === "linux";

/**
 * Ids of the processes of queries.
 *
 * @param parent Process whose they are; without it, those that this thread started: other test files
 *   run in other threads of this process, and have processes of their own.
 */
export function sqlProcesses(parent?: number): number[] {
  const started = parent === undefined
    ? ["thread-self"]
    : Array.from(Deno.readDirSync(`/proc/${parent}/task`), ({ name }) => `${parent}/task/${name}`);
  return started.flatMap((thread) => pids(readText(`${thread}/children`))).filter(isOfQueries);
}

function pids(text: string): number[] {
  return text.split(" ").filter((word) => word !== "").map(Number);
}

function isOfQueries(pid: number): boolean {
  return !/\nState:\tZ/.test(readText(`${pid}/status`)) &&
    readText(`${pid}/cmdline`).includes("sql_worker");
}

/** Text of a file below `/proc`; none if what it is about has just ended. */
function readText(path: string): string {
  try {
    return Deno.readTextFileSync(`/proc/${path}`);
  } catch (error) {
    const { NotFound } = Deno.errors;
    if (error instanceof NotFound || (error as { code?: string }).code === "ESRCH") return "";
    throw error;
  }
}
