/**
 * Files that define derived streams: modules whose default export is a definition, a list of them,
 * or a function of the database that gives either.
 *
 * @module
 */

import type { BTrDB } from "../../../mod.ts";
import { NotAFileError, refuseOtherThanFile } from "../../core/plain_file.ts";
import { distil, type DistilDefinition, type Distillate } from "../../distil/mod.ts";
import { CliError, notFound, usageError } from "../errors.ts";

/** A definition, and its streams in a database. */
export interface DefinedDistillate {
  definition: DistilDefinition;
  distillate: Distillate;
}

/**
 * Reads a file of definitions, which runs it.
 *
 * @param names Names of definitions to choose; empty for all.
 * @throws {CliError} If there is no such file, it fails, or it defines nothing of the kind.
 */
export async function readDefinitions(
  db: BTrDB,
  path: string,
  names: readonly string[],
): Promise<DefinedDistillate[]> {
  const given = await defaultExport(path);
  const value: unknown = typeof given === "function" ? await given(db) : given;
  const definitions = (Array.isArray(value) ? value : [value]) as DistilDefinition[];
  if (value === undefined || value === null || definitions.length === 0) {
    throw usageError(
      `Cannot use ${path}: its default export is ${value === undefined ? "missing" : "empty"}`,
      "export default { name, version, inputs, outputs, compute }, or a list of such",
    );
  }
  const all = definitions.map((definition) => ({ definition, distillate: distil(db, definition) }));
  const seen = new Set<string>();
  for (const { definition: { name } } of all) {
    if (seen.has(name)) {
      throw usageError(`Cannot use ${path}: two definitions are called "${name}"`);
    }
    seen.add(name);
  }
  const unknown = names.find((name) => !seen.has(name));
  if (unknown !== undefined) {
    throw notFound(
      `There is no definition "${unknown}" in ${path}`,
      `it has ${[...seen].map((name) => `"${name}"`).join(", ")}`,
    );
  }
  return names.length === 0 ? all : all.filter(({ definition: { name } }) => names.includes(name));
}

async function defaultExport(path: string): Promise<unknown> {
  let real: string;
  try {
    real = await Deno.realPath(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw notFound(`There is no file ${path}`, "check the path");
  }
  await refuseOtherThanFile(real).catch((cause) => {
    if (!(cause instanceof NotAFileError)) throw cause;
    throw usageError(`Cannot load ${path}: ${cause.message}`);
  });
  const url = new URL("file:///");
  url.pathname = real.replaceAll("\\", "/").split("/").map(encodeURIComponent).join("/");
  try {
    return (await import(url.href) as { default?: unknown }).default;
  } catch (cause) {
    const text = cause instanceof Error ? cause.message.split("\n", 1)[0] : String(cause);
    throw new CliError(`Cannot load ${path}: ${text}`, { cause, hint: "add --debug to see where" });
  }
}
