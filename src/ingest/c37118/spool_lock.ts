/**
 * Locks the folder of a spool for one process, as long as that runs.
 *
 * @module
 */

import { readFileSync, rmSync } from "node:fs";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { delay } from "../../core/call.ts";
import { PRIVATE_MODE } from "../../core/new_file.ts";
import { readPlainText } from "../../core/plain_file.ts";

/** Names of locks: `lock`, and `lock-1` and so on beside one that was left behind. */
const NAME = /^lock(?:-(\d+))?$/;

/** Tries, and the longest pause between two, ms: several that begin at once can all withdraw. */
const TRIES = 20;
const PAUSE_MS = 20;

/** A lock in a folder. */
interface FoundLock {
  readonly name: string;
  readonly number: number;
  /** Process that holds it, if it runs. */
  readonly holder: number | undefined;
}

/**
 * Locks a folder. Each process makes a lock of its own, above all that are there, and withdraws it if
 * another one has one then: so none takes away a lock that is younger than it looked.
 *
 * @returns Unlocks it.
 * @throws {Error} If another process has it locked, or another spool of this one.
 */
export async function lockSpool(folder: string): Promise<() => void> {
  for (let tries = 0; tries < TRIES; tries++) {
    const before = await locksIn(folder);
    const held = before.find(({ holder }) => holder !== undefined);
    if (held !== undefined) {
      throw new Error(
        `Cannot use the spool ${folder}: process ${held.holder} uses it; give each ingest its own`,
      );
    }
    const number = Math.max(-1, ...before.map(({ number }) => number)) + 1;
    const path = join(folder, number === 0 ? "lock" : `lock-${number}`);
    if (await make(path)) {
      const others = (await locksIn(folder)).filter((other) => other.number !== number);
      if (others.every((other) => other.number < number && other.holder === undefined)) {
        for (const { name } of others) await rm(join(folder, name), { force: true });
        return () => rmSync(path, { force: true });
      }
      await rm(path, { force: true });
    }
    await delay(Math.random() * PAUSE_MS);
  }
  throw new Error(`Cannot lock the spool ${folder}`);
}

async function locksIn(folder: string): Promise<FoundLock[]> {
  const names = (await readdir(folder)).filter((name) => NAME.test(name));
  return await Promise.all(names.map(async (name) => {
    const owner = await readPlainText(join(folder, name)).catch(() => "");
    const pid = Number.parseInt(owner, 10);
    const isHeld = pid > 0 && isRunning(pid) && processText(pid) === owner;
    const number = Number(NAME.exec(name)![1] ?? 0);
    return { name, number, holder: isHeld ? pid : undefined };
  }));
}

/** Makes a lock, unless there is one of that name. */
async function make(path: string): Promise<boolean> {
  try {
    await writeFile(path, processText(process.pid), { flag: "wx", mode: PRIVATE_MODE });
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "EEXIST") return false;
    throw error;
  }
}

/** This process or another, told apart from a later one with the same number. */
function processText(pid: number): string {
  try {
    // Field 22 of Linux's stat is when it started.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    return `${pid} ${fields[19]}`;
  } catch {
    return String(pid);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}
