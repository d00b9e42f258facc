import { cpuUsage } from "node:process";

/** Time of the processor that something takes, ms: a busy machine does not lengthen it. */
export function cpuMs(work: () => void): number {
  const before = cpuUsage();
  work();
  const { user, system } = cpuUsage(before);
  return (user + system) / 1000;
}
