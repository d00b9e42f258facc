/** A group commit without an engine around it, for tests of its order and its errors. */

import { type Database, openSqlite } from "../../src/engine/file/sqlite.ts";
import { GroupCommit, type GroupCommitHooks } from "../../src/engine/write/group_commit.ts";

/** Makes one; hooks that are not given do nothing. Closing it closes its database. */
export function bareGroupCommit(
  hooks: Partial<GroupCommitHooks> = {},
  db: Database = openSqlite(":memory:", { readOnly: false }),
): { writer: GroupCommit; close(): Promise<void> } {
  const writer = new GroupCommit(db, "memory", {
    checkOwner() {},
    began() {},
    checkFiles() {},
    publish() {},
    isCheckpointDue: () => false,
    checkpoint() {},
    afterGroup() {},
    ...hooks,
  });
  const close = async () => {
    await writer.close();
    db.close();
  };
  return { writer, close };
}
