/**
 * Converts BTrDB's CSV to another form while it is written.
 *
 * @module
 */

import { type TextForm, TextRows } from "../../csv/text_rows.ts";

const LF = 10, QUOTE = 34;

/**
 * Turns CSV with times of nine digits into another form.
 *
 * @param form The form of the rows.
 * @param hasHead False to leave out what stands before the rows: the output goes on.
 */
export function inForm(
  form: TextForm,
  hasHead: boolean,
): TransformStream<Uint8Array, Uint8Array> {
  const text = new TextRows(form);
  let rest = new Uint8Array(0);
  let isHead = true;
  return new TransformStream({
    transform(bytes, controller) {
      let all = bytes;
      if (rest.length > 0) {
        all = new Uint8Array(rest.length + bytes.length);
        all.set(rest);
        all.set(bytes, rest.length);
      }
      let from = 0;
      if (isHead) {
        from = headEnd(all);
        isHead = from === 0;
        const head = text.head(all.subarray(0, from));
        if (!isHead && hasHead && head.length > 0) controller.enqueue(head);
      }
      const end = isHead ? 0 : Math.max(from, all.lastIndexOf(LF) + 1);
      rest = all.slice(end);
      for (const part of text.rows(all.subarray(from, end))) controller.enqueue(part);
    },
  });
}

/** Offset after the header, 0 if it is not whole; names in quotes may contain line feeds. */
function headEnd(bytes: Uint8Array): number {
  let quoted = false;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === QUOTE) quoted = !quoted;
    if (bytes[i] === LF && !quoted) return i + 1;
  }
  return 0;
}
