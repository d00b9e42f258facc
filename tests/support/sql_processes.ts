/** The processes that run SQL queries of this program or one it started, as Linux knows them. */

/** True where {@linkcode sqlProcesses} can look. */
export const CAN_LIST_PROCESSES: boolean = Deno.build.os === "linux";

/**
 * Ids of the processes of queries.
 *
 * @param parent Process whose they are.
 */
export function sqlProcesses(parent: number = Deno.pid): number[] {
  const found: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = Deno.readTextFileSync(`/proc/${name}/status`);
      if (!status.includes(`\nPPid:\t${parent}\n`) || /\nState:\tZ/.test(status)) continue;
      const command = Deno.readTextFileSync(`/proc/${name}/cmdline`);
      if (command.includes("sql_worker")) found.push(Number(name));
    } catch {
      // It has just ended.
    }
  }
  return found;
}
