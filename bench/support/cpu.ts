/**
 * CPU time of processes.
 *
 * @module
 */

/** User and system time of a process and all its threads so far, ms; Linux. */
export function cpuMs(pid: number): number {
  return timeIn(`/proc/${pid}/stat`);
}

/** User and system time of the main thread of a process so far, ms; Linux. */
export function mainThreadCpuMs(pid: number): number {
  return timeIn(`/proc/${pid}/task/${pid}/stat`);
}

function timeIn(path: string): number {
  const text = Deno.readTextFileSync(path);
  // The name in brackets may hold anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
