/**
 * Words for the errors of a file system that a path is to blame for.
 *
 * @module
 */

/** By the code of the error; whether a file is there is told elsewhere. */
const PROBLEMS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EISDIR: "it is a folder",
  ELOOP: "links in it lead in a circle",
  ENAMETOOLONG: "a name in it is longer than the file system allows",
  ENOTDIR: "a folder in it is a file",
  EPERM: "permission denied",
};

/**
 * Tells what is wrong with a path.
 *
 * @param error Error of `node:fs` or Deno.
 * @returns Words; `undefined` if it is another error, or a permission of Deno is missing, which says
 *   itself which one.
 */
export function pathProblem(error: unknown): string | undefined {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  if (typeof code !== "string" || name === "NotCapable") return undefined;
  return Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code] : undefined;
}
