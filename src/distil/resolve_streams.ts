/**
 * Finding the streams of a definition, and making those that are missing.
 *
 * @module
 */

import type { BTrDB } from "../client/btrdb.ts";
import { Stream } from "../client/stream.ts";
import { findByPath, isUuid, splitPath } from "../client/stream_paths.ts";
import { outOfRange } from "../core/argument_error.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";
import type { RequestOptions } from "../core/request_options.ts";
import type { DistilInput, DistilOutput, NewOutput } from "./definition.ts";

/** A stream of a definition. */
export interface NamedPart {
  /** Name in the definition. */
  name: string;
  stream: Stream;
}

/** The inputs. @throws {BTrDBError} 404 if one does not exist. */
export async function resolveInputs(
  db: BTrDB,
  inputs: Readonly<Record<string, DistilInput>>,
  options: RequestOptions,
): Promise<NamedPart[]> {
  const parts: NamedPart[] = [];
  for (const [name, input] of Object.entries(inputs)) {
    const stream = await existing(db, input, options);
    if (stream === undefined) throw missing(`inputs.${name}`, input);
    parts.push({ name, stream });
  }
  return parts;
}

/**
 * The outputs.
 *
 * @param create True to make those that do not exist.
 * @returns Absent if one does not exist and is not made.
 */
export async function resolveOutputs(
  db: BTrDB,
  outputs: Readonly<Record<string, DistilOutput>>,
  create: boolean,
  options: RequestOptions,
): Promise<NamedPart[] | undefined> {
  const parts: NamedPart[] = [];
  for (const [name, output] of Object.entries(outputs)) {
    const stream = await outputStream(db, name, output, create, options);
    if (stream === undefined) return undefined;
    parts.push({ name, stream });
  }
  return parts;
}

async function outputStream(
  db: BTrDB,
  name: string,
  output: DistilOutput,
  create: boolean,
  options: RequestOptions,
): Promise<Stream | undefined> {
  const isNew = !(output instanceof Stream) && typeof output !== "string";
  const found = await existing(db, isNew ? output.path : output, options);
  if (found !== undefined) return found;
  if (output instanceof Stream || (typeof output === "string" && isUuid(output))) {
    throw missing(`outputs.${name}`, output);
  }
  if (!create) return undefined;
  const wanted = typeof output === "string" ? { path: output } : output;
  return await made(db, name, wanted, options);
}

async function made(
  db: BTrDB,
  name: string,
  output: NewOutput,
  options: RequestOptions,
): Promise<Stream> {
  const [place] = splitPath(output.path);
  if (place === undefined) {
    throw outOfRange(
      `Cannot distil: outputs.${name} is ${JSON.stringify(output.path)}, expected ` +
        `"collection/name"`,
    );
  }
  const unit = output.unit === undefined ? {} : { unit: output.unit };
  const tags = { ...output.tags, ...unit, name: place.name };
  try {
    const annotations = { ...output.annotations };
    return await db.create(crypto.randomUUID(), place.collection, {
      ...options,
      tags,
      annotations,
    });
  } catch (error) {
    // Another runner may have made it in between.
    const exists = error instanceof BTrDBError && error.code === ErrorCode.StreamExists;
    const found = exists ? await existing(db, output.path, options) : undefined;
    if (found === undefined) throw error;
    return found;
  }
}

/** The stream, if there is one. */
async function existing(
  db: BTrDB,
  text: Stream | string,
  options: RequestOptions,
): Promise<Stream | undefined> {
  if (text instanceof Stream || isUuid(text)) {
    const stream = text instanceof Stream ? text : db.streamFromUUID(text);
    return await stream.exists(options) ? stream : undefined;
  }
  const found = await findByPath(db, text);
  if (found.length > 1) {
    throw outOfRange(
      `Cannot distil: ${found.length} streams are called ${JSON.stringify(text)}, expected one; ` +
        `name it by its uuid`,
    );
  }
  return found[0]?.stream;
}

function missing(what: string, stream: Stream | string): BTrDBError {
  const text = stream instanceof Stream ? stream.uuid : stream;
  return new BTrDBError(
    `Cannot distil: ${what} is ${JSON.stringify(text)}, but there is no such stream`,
    {
      code: ErrorCode.NoSuchStream,
    },
  );
}
