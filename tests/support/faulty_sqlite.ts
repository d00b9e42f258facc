/** SQLite whose calls fail, or end the process, when a plan says so. */

import { type Database, type OpenDatabase, openSqlite } from "../../src/engine/file/sqlite.ts";

/** Result codes that are injected, with SQLite's texts. */
export const FAULTS = [
  { errcode: 13, text: "database or disk is full", status: "DISK_FULL" },
  { errcode: 10, text: "disk I/O error", status: "IO_ERROR" },
  { errcode: 8, text: "attempt to write a readonly database", status: "READ_ONLY" },
] as const;

/** Counts calls and fails one of them, or kills the process in front of one. */
export class FaultPlan {
  /** Calls made so far. */
  calls = 0;
  /** The call that fails; −1 for none. */
  failAt = -1;
  /** The fault, an index into {@linkcode FAULTS}. */
  fault = 0;
  /** The call in front of which the process kills itself, as `kill -9` does; −1 for none. */
  killAt = -1;
  /** True if calls count; false while results are checked. */
  active = true;
  /** True if the failure has happened. */
  hit = false;

  /** Called before every call of SQLite. */
  step(): void {
    if (!this.active) return;
    const call = this.calls++;
    if (call === this.killAt) Deno.kill(Deno.pid, "SIGKILL");
    if (call !== this.failAt) return;
    this.hit = true;
    const { errcode, text } = FAULTS[this.fault]!;
    throw Object.assign(new Error(text), { code: "ERR_SQLITE_ERROR", errcode });
  }

  /** Opens databases that follow this plan. ROLLBACK and close never fail, as in SQLite itself. */
  readonly open: OpenDatabase = (path, options) => this.#wrap(openSqlite(path, options));

  #wrap(db: Database): Database {
    return {
      exec: (sql) => {
        if (sql !== "ROLLBACK") this.step();
        db.exec(sql);
      },
      prepare: (sql) => {
        this.step();
        const statement = db.prepare(sql);
        return {
          sourceSQL: statement.sourceSQL,
          columns: () => statement.columns(),
          run: (...params) => (this.step(), statement.run(...params)),
          get: (...params) => (this.step(), statement.get(...params)),
          all: (...params) => (this.step(), statement.all(...params)),
        };
      },
      setAuthorizer: (authorizer) => db.setAuthorizer!(authorizer),
      close: () => db.close(),
    };
  }
}
