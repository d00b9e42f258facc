/**
 * The parts of a record of COMTRADE: the configuration and the samples, in files of their own (`.cfg`,
 * `.dat`) or in one (`.cff`).
 *
 * @module
 */

import { readdirSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ImportError } from "../errors.ts";
import { isConfiguration } from "./configuration.ts";
import { bytesOfFile, partOf, type RandomBytes } from "./random_bytes.ts";

/** A record, before it is understood. */
export interface RecordFiles extends AsyncDisposable {
  /** Configuration, as it is stored. */
  readonly configuration: Uint8Array;
  /** Samples. */
  readonly samples: RandomBytes;
  /** Form of the samples that a `.cff` says. */
  readonly form: string | undefined;
  /** Name of the file with the configuration, for messages. */
  readonly name: string;
  readonly notices: readonly string[];
}

/** Longest configuration that is read. */
const MAX_CONFIGURATION = 64 << 20;

/** Bytes of a `.cff` that are searched for a separator at a time. */
const SEARCHED_BYTES = 1 << 20;

const SEPARATOR =
  /^-{2,3}[ \t]*file[ \t]*type[ \t]*:?[ \t]*(CFG|INF|HDR|DAT(?:[ \t]+(\w+))?(?:[ \t]*:[ \t]*(\d+))?)[ \t]*-{2,3}[ \t]*\r?(?:\n|$)/gim;

/** Tells whether bytes are the beginning of a `.cff`. */
export function isSingleFile(head: Uint8Array): boolean {
  return latin1(head.subarray(0, 200)).replace(/^\xef\xbb\xbf/, "").trimStart().search(
    SEPARATOR,
  ) === 0;
}

/** Tells whether bytes are the beginning of a `.cfg`. */
export function isConfigurationFile(head: Uint8Array): boolean {
  return isConfiguration(latin1(head.subarray(0, 1000)));
}

/** The `.cfg` beside a `.dat` of the same name; `undefined` for any other file. */
export function configurationBeside(path: string): string | undefined {
  if (!/\.dat$/i.test(path)) return undefined;
  const wanted = basename(path).replace(/dat$/i, "cfg").toLowerCase();
  try {
    const found = readdirSync(dirname(path)).find((name) => name.toLowerCase() === wanted);
    return found === undefined ? undefined : join(dirname(path), found);
  } catch {
    return undefined;
  }
}

/** Every byte as the character of its number: separators and counts are ASCII. */
function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

/**
 * Finds both files of a record, whichever of them is named.
 *
 * @param path The `.cfg` or the `.dat`, in any case.
 * @throws {ImportError} If the other one is missing.
 */
export async function filesOf(path: string): Promise<RecordFiles> {
  const isConfig = !/\.dat$/i.test(path);
  const [configurationPath, samplesPath] = isConfig
    ? [path, await besides(path, "dat")]
    : [await besides(path, "cfg"), path];
  await using configuration = await bytesOfFile(configurationPath);
  const samples = await bytesOfFile(samplesPath);
  return {
    configuration: await configuration.read(0, checkedSize(configuration.size, configurationPath)),
    samples,
    form: undefined,
    name: configurationPath,
    notices: [],
    [Symbol.asyncDispose]: () => samples[Symbol.asyncDispose](),
  };
}

/** The file of the same name with another extension, in any case. */
async function besides(path: string, extension: string): Promise<string> {
  const [folder, name] = [dirname(path), basename(path)];
  const wanted = `${name.replace(/\.[^.]*$/, "")}.${extension}`;
  const names = await readdir(folder);
  const found = names.includes(wanted)
    ? wanted
    : names.find((other) => other.toLowerCase() === wanted.toLowerCase());
  if (found !== undefined) return join(folder, found);
  throw new ImportError(`Cannot read ${path}: there is no ${join(folder, wanted)} beside it`, {
    fault: "missing",
  });
}

function checkedSize(size: number, name: string): number {
  if (size <= MAX_CONFIGURATION) return size;
  throw new ImportError(
    `Cannot read ${name}: a configuration of ${size} bytes, at most ${MAX_CONFIGURATION} are read`,
  );
}

/**
 * Takes a `.cff` apart.
 *
 * @param bytes All of it; belongs to the result.
 * @throws {ImportError} If it has no configuration or no samples.
 */
export async function partsOf(bytes: RandomBytes, name: string): Promise<RecordFiles> {
  const notices: string[] = [];
  const headBytes = Math.min(bytes.size, MAX_CONFIGURATION);
  let text = "";
  let samples: { from: number; form: string | undefined; length: number | undefined } | undefined;
  let configuration: Uint8Array | undefined;
  let from: number | undefined;
  let hasConfiguration = false;
  // The samples come last: up to them everything is text.
  while (samples === undefined && text.length < headBytes) {
    text += latin1(
      await bytes.read(text.length, Math.min(SEARCHED_BYTES, headBytes - text.length)),
    );
    from = undefined;
    hasConfiguration = false;
    for (const match of text.matchAll(SEPARATOR)) {
      const next = match.index + match[0].length;
      // The end of its line may not have been read yet.
      if (next === text.length && text.length < headBytes) break;
      if (from !== undefined) configuration ??= await bytes.read(from, match.index - from);
      const isConfiguration = match[1]!.toUpperCase() === "CFG";
      from = isConfiguration ? next : undefined;
      if (isConfiguration && hasConfiguration) {
        throw new ImportError(`Cannot read ${name}: it has two parts CFG, expected one`);
      }
      hasConfiguration ||= isConfiguration;
      if (!match[1]!.toUpperCase().startsWith("DAT")) continue;
      const length = match[3] === undefined ? undefined : Number(match[3]);
      samples = { from: next, form: match[2]?.toUpperCase(), length };
      break;
    }
  }
  if (configuration === undefined || samples === undefined) {
    const problem = hasConfiguration
      ? "it has no part DAT with the samples"
      : "it has no part CFG with the configuration" +
        (samples === undefined ? "" : " before the samples");
    throw new ImportError(`Cannot read ${name}: ${problem}`);
  }
  const rest = bytes.size - samples.from;
  if (samples.length !== undefined && samples.length !== rest) {
    notices.push(`${name} says ${samples.length} bytes of samples, ${rest} follow`);
  }
  const end = samples.from + Math.min(rest, samples.length ?? rest);
  const part = partOf(bytes, samples.from, end);
  return {
    configuration,
    samples: part,
    form: samples.form,
    name,
    notices,
    [Symbol.asyncDispose]: () => part[Symbol.asyncDispose](),
  };
}
