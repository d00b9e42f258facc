/**
 * Conditions by which streams of a set are chosen.
 *
 * @module
 */

import { describe } from "../core/describe.ts";
import type { Stream } from "./stream.ts";
import type { MetadataValues } from "./pairs.ts";
import type { RequestOptions } from "../core/request_options.ts";
import { invalidType } from "../core/argument_error.ts";

/** Text that must be equal, a pattern that must match, or `null` for any value that is there. */
export type TextCondition = string | RegExp | null;

/** Conditions of metadata, all of which must hold. */
export interface StreamConditions {
  /** Collection of the stream. */
  collection?: TextCondition | undefined;
  /** Tag `name`. */
  name?: TextCondition | undefined;
  /** Tag `unit`. */
  unit?: TextCondition | undefined;
  /** Tags by key. */
  tags?: Readonly<Record<string, TextCondition>> | undefined;
  /** Annotations by key, as they were when last read. */
  annotations?: Readonly<Record<string, TextCondition>> | undefined;
}

/** Conditions, or a function that says which streams stay. */
export type StreamFilter = StreamConditions | ((stream: Stream) => boolean | Promise<boolean>);

const ACTION = "filter streams";
const FIELDS = ["collection", "name", "unit", "tags", "annotations"];

/**
 * Checks a filter and makes a function of it.
 *
 * @param filter Conditions of the caller.
 * @param options Of the reads of metadata.
 * @throws {TypeError} If it is neither a function nor conditions that exist.
 */
export function streamTest(
  filter: StreamFilter,
  options: RequestOptions,
): (stream: Stream) => Promise<boolean> {
  if (typeof filter === "function") return async (stream) => await filter(stream) === true;
  const { collection, tags, annotations } = checkConditions(filter);
  return async (stream) => {
    if (collection !== undefined && !fits(collection, await stream.collection(options))) {
      return false;
    }
    if (!allFit(tags, tags.size === 0 ? {} : await stream.tags(options))) return false;
    if (annotations.size === 0) return true;
    return allFit(annotations, (await stream.cachedAnnotations(options))[0]);
  };
}

interface Checked {
  collection: TextCondition | undefined;
  tags: Map<string, TextCondition>;
  annotations: Map<string, TextCondition>;
}

function checkConditions(filter: StreamConditions): Checked {
  if (typeof filter !== "object" || filter === null) {
    throw invalidType(
      `Cannot ${ACTION}: filter is ${describe(filter)}, expected conditions or a function`,
    );
  }
  for (const key of Object.keys(filter)) {
    if (!FIELDS.includes(key)) {
      throw invalidType(
        `Cannot ${ACTION}: there is no condition ${JSON.stringify(key)}, expected ` +
          FIELDS.map((field) => `"${field}"`).join(", "),
      );
    }
  }
  const tags = conditionsOf("tags", filter.tags ?? {});
  for (const key of ["name", "unit"] as const) {
    const condition = filter[key];
    if (condition === undefined) continue;
    if (tags.has(key)) {
      throw invalidType(`Cannot ${ACTION}: ${key} and tags.${key} are both given`);
    }
    tags.set(key, checkCondition(key, condition));
  }
  return {
    collection: filter.collection === undefined
      ? undefined
      : checkCondition("collection", filter.collection),
    tags,
    annotations: conditionsOf("annotations", filter.annotations ?? {}),
  };
}

function conditionsOf(
  name: string,
  conditions: Readonly<Record<string, TextCondition>>,
): Map<string, TextCondition> {
  if (typeof conditions !== "object" || conditions === null) {
    throw invalidType(`Cannot ${ACTION}: ${name} is ${describe(conditions)}, expected an object`);
  }
  const entries = Object.entries(conditions);
  return new Map(entries.map(([key, value]) => [key, checkCondition(`${name}.${key}`, value)]));
}

function checkCondition(name: string, condition: TextCondition): TextCondition {
  if (condition === null || typeof condition === "string" || condition instanceof RegExp) {
    return condition;
  }
  throw invalidType(
    `Cannot ${ACTION}: ${name} is ${describe(condition)}, expected a string, a RegExp or null`,
  );
}

function allFit(conditions: ReadonlyMap<string, TextCondition>, values: MetadataValues): boolean {
  for (const [key, condition] of conditions) {
    if (!Object.hasOwn(values, key) || !fits(condition, values[key])) return false;
  }
  return true;
}

/** Searches from the beginning, whatever a `g` or `y` expression was used for before. */
function fits(condition: TextCondition, value: string | null | undefined): boolean {
  if (condition === null) return true;
  if (typeof condition === "string") return value === condition;
  return new RegExp(condition.source, condition.flags.replace(/[gy]/g, "")).test(value ?? "");
}
