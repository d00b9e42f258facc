/**
 * The streams of an argument, checked.
 *
 * @module
 */

import { invalidType } from "../core/argument_error.ts";
import { describe } from "../core/describe.ts";
import { Stream } from "./stream.ts";

/**
 * The streams of an argument as an array.
 *
 * @param action Name of the call, for the error.
 * @param streams The argument.
 * @throws {TypeError} If it is not iterable, or holds something that is no stream.
 */
export function streamsOf(action: string, streams: Iterable<Stream>): Stream[] {
  if (!(Symbol.iterator in Object(streams))) {
    throw invalidType(
      `Cannot ${action}: streams is ${describe(streams)}, expected an array of streams`,
    );
  }
  const all = [...streams];
  const other = all.findIndex((stream) => !(stream instanceof Stream));
  if (other >= 0) {
    throw invalidType(
      `Cannot ${action}: streams[${other}] is ${describe(all[other])}, expected a stream`,
    );
  }
  return all;
}
