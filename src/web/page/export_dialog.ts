/**
 * Exports with progress, that can be stopped.
 *
 * @module
 */

import { element, setAttributes, setText } from "./dom.ts";
import { messageOf } from "./connection.ts";
import { countText } from "./number_text.ts";
import { saveBlob } from "./save.ts";

/** Progress of an export. */
export interface Progress {
  readonly bytes: number;
  /** Share that is done, 0 to 1; undefined if nobody knows. */
  readonly share?: number | undefined;
}

/** An export. */
export interface ExportJob {
  /** Name of the file. */
  readonly name: string;
  /** Content type. */
  readonly type: string;
  /** Writes the file. */
  readonly run: (
    sink: WritableStream<Uint8Array>,
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
  ) => Promise<void>;
}

/** Pieces are put together from this size on, bytes: the browser may then keep them on disk. */
const CHUNK_BYTES = 8 << 20;

/** Runs an export and saves its file. */
export async function runExport({ name, type, run }: ExportJob): Promise<void> {
  const aborter = new AbortController();
  const bar = element("progress", { max: 1, "aria-label": "Progress" });
  const note = element("p", { role: "status" }, "Begins");
  const stop = element("button", { type: "button", click: () => aborter.abort() }, "Stop");
  const dialog = element(
    "dialog.modal",
    { "aria-label": `Export ${name}` },
    element("div.sheet", {}, element("h2", {}, name), bar, note, element("div.row.end", {}, stop)),
  );
  dialog.addEventListener("cancel", () => aborter.abort());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  const pieces: Blob[] = [];
  try {
    await run(
      gather(pieces),
      ({ bytes, share }) => {
        if (share !== undefined) bar.value = Math.min(1, share);
        setText(note, `${countText(bytes)} bytes`);
      },
      aborter.signal,
    );
    saveBlob(new Blob(pieces, { type }), name);
    dialog.close();
  } catch (error) {
    if (aborter.signal.aborted) return dialog.close();
    setAttributes(note, { class: "problem", role: "alert" });
    setText(note, `Nothing was saved: ${messageOf(error)}`);
    setText(stop, "Close");
    stop.addEventListener("click", () => dialog.close());
  }
}

/** A stream that gathers what is written. */
function gather(pieces: Blob[]): WritableStream<Uint8Array> {
  let chunks: BlobPart[] = [];
  let size = 0;
  const put = () => {
    if (size > 0) pieces.push(new Blob(chunks));
    [chunks, size] = [[], 0];
  };
  return new WritableStream({
    write(piece) {
      chunks.push(piece.slice());
      size += piece.length;
      if (size >= CHUNK_BYTES) put();
    },
    close: put,
  });
}
