/**
 * An endpoint that dies at a chosen write, as a process that is killed there does.
 *
 * @module
 */

import type { Endpoint } from "../../src/endpoint/endpoint.ts";

/** Writes, each of which may be the last. */
const WRITES: ReadonlySet<PropertyKey> = new Set([
  "create",
  "deleteRange",
  "flush",
  "insert",
  "setAnnotations",
]);

/** The error of every call after the kill. */
export class Killed extends Error {}

/** When to die. */
export interface KillPlan {
  /** Number of the write, from 1; `Infinity` for never. */
  at: number;
  /** True to die when that write is done and not yet answered, false to die before it. */
  after: boolean;
}

/** `endpoint`, until it dies. */
export function killable(endpoint: Endpoint, plan: KillPlan): Endpoint {
  let [writes, dead] = [0, false];
  return new Proxy(endpoint, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        if (dead) throw new Killed("Killed");
        if (!WRITES.has(name) || ++writes !== plan.at) return member.apply(target, args);
        dead = true;
        if (!plan.after) return Promise.reject(new Killed("Killed"));
        return Promise.resolve(member.apply(target, args)).then(() => {
          throw new Killed("Killed");
        });
      };
    },
  });
}
