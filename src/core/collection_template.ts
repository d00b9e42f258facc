/**
 * Collections of the streams that line protocol fills, by a template.
 *
 * @module
 */

import { invalidType } from "./argument_error.ts";
import type { LinePrefix } from "./line_series.ts";

/** The template that is used unless another is given. */
const DEFAULT_TEMPLATE = "{bucket}/{measurement}/{tags}";

/** Destination of a write. */
export interface LineDestination {
  /** Bucket of the v2 API, database of the others. */
  readonly bucket: string;
  /** Organisation of the v2 API; empty if none. */
  readonly org: string;
  /** Retention policy of the v1 API; empty if none. */
  readonly rp: string;
}

/** Text or a placeholder; of `{tag.KEY}` the key. */
type Part = { readonly text: string } | { readonly name: string; readonly tag?: string };

const NAMES = ["bucket", "org", "rp", "measurement", "tags"];

/**
 * A template of collections: `{bucket}`, `{org}`, `{rp}`, `{measurement}`, `{tag.KEY}`, and `{tags}`
 * for the values of all other tags in the order of their keys, `/` between them. A part between
 * slashes that comes to nothing is left out.
 */
export class CollectionTemplate {
  readonly #segments: readonly (readonly Part[])[];
  readonly #named: ReadonlySet<string>;

  /**
   * @param template Text with placeholders.
   * @throws {TypeError} If a placeholder is unknown or not closed, or there is none.
   */
  constructor(template: string = DEFAULT_TEMPLATE) {
    this.#segments = split(template).map((segment) => partsOf(segment, template));
    const parts = this.#segments.flat();
    if (!parts.some((part) => "name" in part)) {
      throw badTemplate(template, "has no placeholder, every series would be one stream");
    }
    this.#named = new Set(parts.flatMap((part) => "tag" in part ? [part.tag] : []));
  }

  /** The collection of a series. */
  expand(destination: LineDestination, { measurement, tags }: LinePrefix): string {
    const rest: string[] = [];
    for (const [key, value] of tags) if (!this.#named.has(key)) rest.push(value);
    const { bucket, org, rp } = destination;
    const values: Readonly<Record<string, string>> = {
      bucket,
      org,
      rp,
      measurement,
      tags: rest.join("/"),
    };
    const texts: string[] = [];
    for (const parts of this.#segments) {
      let text = "";
      for (const part of parts) {
        if ("text" in part) text += part.text;
        else text += (part.tag === undefined ? values[part.name] : tags.get(part.tag)) ?? "";
      }
      if (text !== "") texts.push(text);
    }
    return texts.join("/");
  }
}

/** Splits a template at the slashes outside of braces. */
function split(template: string): string[] {
  return template.match(/(?:\{[^}]*\}|[^/])+/g) ?? [];
}

function partsOf(segment: string, template: string): Part[] {
  const parts: Part[] = [];
  for (const [, name, text] of segment.matchAll(/\{([^{}]*)\}|([^{}]+|[{}])/g)) {
    if (text === "{" || text === "}") throw badTemplate(template, `has a ${text} alone`);
    if (text !== undefined) parts.push({ text });
    else if (NAMES.includes(name!)) parts.push({ name: name! });
    else if (/^tag\../.test(name!)) parts.push({ name: "tag", tag: name!.slice(4) });
    else throw badTemplate(template, `has ${JSON.stringify(`{${name}}`)}`);
  }
  return parts;
}

function badTemplate(template: string, what: string): TypeError {
  return invalidType(
    `Cannot use the collection template ${JSON.stringify(template)}: it ${what}, expected ` +
      `text with ${NAMES.map((name) => `{${name}}`).join(", ")} or {tag.KEY}`,
  );
}
