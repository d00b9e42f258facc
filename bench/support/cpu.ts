/**
 * CPU time of processes.
 *
 * @module
 */

/** User and system time of a process and all its threads so far, ms; Linux. */
export function cpuMs(pid: number): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // The name in brackets may hold anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
