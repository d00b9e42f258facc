/**
 * The annotations of streams that line protocol fills: the tags of their series.
 *
 * @module
 */

import type { LinePrefix } from "./line_series.ts";

/** A series whose points cannot be stored. */
export class SeriesRefusal extends Error {
  /** Message for a caller that may not read: nothing of a stream is in it. */
  readonly unread: string;

  /** @param message Reason, for people. */
  constructor(message: string, unread: string = message) {
    super(message);
    this.unread = unread;
  }
}

/** Text that tells a measurement with its tags, in a collection, from all others. */
export function prefixIdentity(collection: string, { measurement, tags }: LinePrefix): string {
  return JSON.stringify([collection, measurement, ...tags]);
}

/**
 * The annotations of the stream of a series: its tags, with keys as annotations have them.
 *
 * @throws {SeriesRefusal} If two tags have the same key then.
 */
export function annotationsOf({ tags }: Pick<LinePrefix, "tags">): Map<string, string> {
  const annotations = new Map<string, string>();
  for (const [tag, value] of tags) {
    const key = annotationKey(tag);
    if (annotations.has(key)) {
      throw new SeriesRefusal(`two tags become the annotation ${JSON.stringify(key)}`);
    }
    annotations.set(key, value);
  }
  return annotations;
}

/** A tag's key in the alphabet of annotations: `[a-z][a-z0-9_.]*`. */
function annotationKey(tag: string): string {
  const key = tag.toLowerCase().replace(/[^a-z0-9_.]/g, "_");
  return /^[a-z]/.test(key) ? key : `tag_${key}`;
}

/**
 * Checks that a stream is that of a series, not of another with the same collection and field. One
 * without annotations is anyone's.
 *
 * @param there Annotations of the stream.
 * @param wanted Those of the series.
 * @throws {SeriesRefusal} If they differ.
 */
export function checkSeries(
  there: ReadonlyMap<string, string | null>,
  wanted: ReadonlyMap<string, string>,
  field: string,
  collection: string,
): void {
  if (there.size === 0) return;
  for (const [key, value] of wanted) {
    const other = there.get(key);
    if (other === value) continue;
    const stream = `the stream ${JSON.stringify(field)} of ${JSON.stringify(collection)} has`;
    const wish = `this series has ${JSON.stringify(value)}; does the template leave out a tag?`;
    const found = other === undefined ? "not" : JSON.stringify(other);
    throw new SeriesRefusal(
      `${stream} the annotation ${key} ${found}, ${wish}`,
      `${stream} another annotation ${key}, ${wish}`,
    );
  }
}
