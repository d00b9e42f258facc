/**
 * Targets that are files.
 *
 * @module
 */

import { checkedPath } from "../../core/check_path.ts";

/**
 * The path of a `file:` target, empty if it names none; `undefined` for a target of another kind.
 *
 * @throws {TypeError} If no file can have the path.
 */
export function filePath(target: string): string | undefined {
  if (!target.startsWith("file:")) return undefined;
  if (target === "file:") return "";
  const isUrl = target.startsWith("file://") && URL.canParse(target);
  return checkedPath("connect", isUrl ? new URL(target) : target.slice("file:".length), "target");
}
