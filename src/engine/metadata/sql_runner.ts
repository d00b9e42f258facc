/**
 * Runners of SQL queries: a process that can be killed, or a thread if no process may be started
 * (docs/engine.md, "SQL").
 *
 * @module
 */

import { type ChildProcess, fork } from "node:child_process";
import { setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { BTrDBError } from "../../core/errors.ts";
import { isAllowed, isStandalone } from "../deno_permissions.ts";
import { CLOSED, type SqlOrder, type SqlReport } from "./sql_messages.ts";

/** Priority of a process of queries: whatever else there is to do goes first. */
const NICE = 10;

/** A process or thread that runs queries. */
export interface SqlRunner {
  /** Sends an order. Orders are obeyed one after another. */
  order(order: SqlOrder): void;
  /**
   * Listens until it is told not to.
   *
   * @param hear Told of reports.
   * @param fail Told that the runner has ended, and why if that is known.
   * @returns Ends the listening.
   */
  listen(hear: (report: SqlReport) => void, fail: (error?: Error) => void): () => void;
  /** Tells whether it has not ended yet. */
  isAlive(): boolean;
  /** Keeps the program alive from here on, or no longer. */
  hold(isHeld: boolean): void;
  /**
   * Ends it, whatever it does. A process is killed; a thread ends when SQLite comes to its next row.
   */
  end(): Promise<void>;
}

/** Starts a runner. */
export function startSqlRunner(): SqlRunner {
  const url = new URL("./sql_worker.ts", import.meta.url);
  return startProcess(url) ?? startThread(url);
}

/** Tells whether this program may start itself again with another module. */
function mayFork(url: URL): boolean {
  // A bundle has no module of its own for it.
  if (url.protocol !== "file:") return false;
  if (isStandalone()) return false;
  return (["run", "env", "sys", "read"] as const).every(isAllowed);
}

function startProcess(url: URL): SqlRunner | undefined {
  if (!mayFork(url)) return undefined;
  let child: ChildProcess;
  try {
    child = fork(url, [], {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      execArgv: [],
    });
  } catch {
    return undefined;
  }
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.on("error", () => {});
  try {
    if (child.pid !== undefined) setPriority(child.pid, NICE);
  } catch {
    // It works all the same.
  }
  return {
    order: (order) => void child.send(order, () => {}),
    listen(hear, fail) {
      const lost = (error?: unknown) => fail(error instanceof Error ? error : undefined);
      child.on("message", hear).on("error", lost).on("exit", lost);
      return () => void child.off("message", hear).off("error", lost).off("exit", lost);
    },
    isAlive: () => child.connected && child.exitCode === null && child.signalCode === null,
    hold(isHeld) {
      if (isHeld) child.ref();
      else child.unref();
      if (isHeld) child.channel?.ref();
      else child.channel?.unref();
    },
    async end() {
      child.ref();
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Starts a thread, if its module may be read. */
function threadOf(url: URL): Worker {
  try {
    return new Worker(url);
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name !== "NotCapable") throw cause;
    const path = url.protocol === "file:" ? fileURLToPath(url) : url.href;
    throw new BTrDBError(
      `Cannot run SQL: queries run in a thread, and this program may not read its module; add ` +
        `--allow-read, or ${JSON.stringify(path)} to it`,
      { status: "CANNOT_OPEN", cause },
    );
  }
}

function startThread(url: URL): SqlRunner {
  const worker = threadOf(url);
  let isAlive = true;
  worker.once("exit", () => isAlive = false);
  return {
    order: (order) => worker.postMessage(order),
    listen(hear, fail) {
      const exit = () => fail();
      worker.on("message", hear).on("error", fail).on("exit", exit);
      return () => void worker.off("message", hear).off("error", fail).off("exit", exit);
    },
    isAlive: () => isAlive,
    hold(isHeld) {
      if (isHeld) worker.ref();
      else worker.unref();
    },
    async end() {
      const closed = new Promise<void>((resolve) => {
        worker.on("message", (message) => message === CLOSED && resolve());
        worker.once("error", () => resolve()).once("exit", () => resolve());
      });
      worker.postMessage({ type: "close" } satisfies SqlOrder);
      await closed;
      await worker.terminate();
    },
  };
}
