/** SQLite that counts what it is asked to do. */

import { type Database, type OpenDatabase, openSqlite } from "../../src/engine/file/sqlite.ts";

/** Told what is done, before it is done for `exec` and `run`, with its rows for the others. */
export interface SqliteCounter {
  exec?(sql: string): void;
  run?(sql: string): void;
  rows?(sql: string, rows: number): void;
}

/** Opens databases that tell a counter what they do. */
export function countedSqlite(counter: SqliteCounter): OpenDatabase {
  return (path, options): Database => {
    const db = openSqlite(path, options);
    return {
      exec(sql) {
        counter.exec?.(sql);
        db.exec(sql);
      },
      prepare(sql) {
        const statement = db.prepare(sql);
        return {
          sourceSQL: statement.sourceSQL,
          columns: () => statement.columns(),
          get(...params) {
            counter.rows?.(sql, 1);
            return statement.get(...params);
          },
          all(...params) {
            const rows = statement.all(...params);
            counter.rows?.(sql, rows.length);
            return rows;
          },
          run(...params) {
            counter.run?.(sql);
            return statement.run(...params);
          },
        };
      },
      setAuthorizer: (authorizer) => db.setAuthorizer!(authorizer),
      close: () => db.close(),
    };
  };
}
