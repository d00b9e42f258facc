/**
 * CPU time of processes.
 *
 * @module
 */

/** User and system time of a process and all its threads so far, ms; Linux. */
export function cpuMs(pid: number): number {
  return timeIn(`/proc/${pid}/stat`);
}

/** A thread of a process. */
export interface ThreadTimes {
  /** Name; Deno calls its workers `worker-2`, `worker-3` and so on. */
  readonly name: string;
  readonly isMain: boolean;
  /** User and system time so far, ms. */
  readonly cpuMs: number;
  /** Time so far in which it had work and no core, ms. */
  readonly waitMs: number;
}

/** Threads of a process; Linux. */
export function threadTimes(pid: number): ThreadTimes[] {
  const folder = `/proc/${pid}/task`;
  return [...Deno.readDirSync(folder)].flatMap(({ name: id }) => {
    try {
      const [, waitNs] = Deno.readTextFileSync(`${folder}/${id}/schedstat`).split(" ");
      return [{
        name: Deno.readTextFileSync(`${folder}/${id}/comm`).trim(),
        isMain: Number(id) === pid,
        cpuMs: timeIn(`${folder}/${id}/stat`),
        waitMs: Number(waitNs) / 1e6,
      }];
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return []; // It has ended meanwhile.
      throw error;
    }
  });
}

function timeIn(path: string): number {
  const text = Deno.readTextFileSync(path);
  // The name in brackets may hold anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
