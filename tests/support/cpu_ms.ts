/** Time of the processor that tests take. */

import { cpuUsage } from "node:process";

/**
 * Time of the processor that this thread has used, ms: a busy machine does not lengthen it, and tests
 * that run beside, which are other threads of this process, are not counted. Other systems than Linux
 * tell it of the whole process only.
 */
export function usedCpuMs(): number {
  if (Deno.build.os === "linux") {
    const [ns] = Deno.readTextFileSync("/proc/thread-self/schedstat").split(" ");
    return Number(ns) / 1e6;
  }
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}

/** Time of the processor that something takes, ms. */
export function cpuMs(work: () => void): number {
  const before = usedCpuMs();
  work();
  return usedCpuMs() - before;
}
