/**
 * Exports of CSV and NDJSON.
 *
 * @module
 */

import type { ByteSink } from "../../../mod.ts";
import type { TextForm } from "../../csv/text_rows.ts";
import { formatCsv } from "../../kernel/mod.ts";
import type { QueryKind } from "../query_kind.ts";
import { mayStartThreads } from "../threads.ts";
import { gridOf, type GridRules, present, sayCount } from "./grid.ts";
import {
  type Exported,
  type ExportJob,
  type ExportRequest,
  runExport,
  showProgress,
} from "./job.ts";
import { inForm } from "./text_form.ts";
import { refuseBusyPart } from "./part_lock.ts";
import { type ExportNote, removeNote, resumeAt, writeNote } from "./resume.ts";
import { partPath, type Sink } from "./sink.ts";

/** Writes CSV or NDJSON. */
export async function exportText(job: ExportJob): Promise<Exported> {
  const { from, note } = await begin(job);
  const work = (sink: Sink) => {
    // Not before the file is open: nothing is left if that fails.
    if (note !== undefined) writeNote(job.output!, note);
    return write(job, sink, from);
  };
  const written = await runExport(job, work, from !== undefined);
  if (job.output !== undefined && job.resumable) await removeNote(job.output);
  return written;
}

/** The note of what is exported, and where to go on, if it was begun before. */
async function begin(job: ExportJob): Promise<{ from?: bigint | undefined; note?: ExportNote }> {
  const { output, resume, resumable, streams } = job;
  if (output === undefined || !resumable) return {};
  const note: ExportNote = { request: requestNote(job), versions: [] };
  for (const { stream } of streams) {
    const { major, minor } = await stream.fullVersion();
    note.versions.push(`${major}.${minor}`);
  }
  if (!output.direct) refuseBusyPart(partPath(output), output.name);
  const from = resume ? await resumeAt(output, note) : undefined;
  if (resume && from === undefined) job.context.talk("Nothing to resume: exporting all of it");
  return { from, note };
}

/** Request of an export, which must be the same when it is resumed. */
function requestNote(
  { streams, labels, range, kind, numbers, includeVersions, ndjson, times }: ExportRequest,
): unknown {
  const uuids = streams.map(({ uuid }) => uuid);
  const plain = { uuids, labels, numbers, includeVersions, ndjson };
  const { start, end } = range;
  const tz = times.isReadableIn ? times.tz : undefined;
  return { ...plain, start: String(start), end: String(end), kind: kindNote(kind), tz };
}

function kindNote(kind: QueryKind): string {
  if (kind.kind === "aligned") return `aligned ${kind.pointwidth}`;
  return kind.kind === "windows" ? `windows ${kind.width}` : "raw";
}

function queryOf(kind: QueryKind) {
  switch (kind.kind) {
    case "raw":
      return { queryType: "raw" as const };
    case "aligned":
      return { queryType: "aligned" as const, pointwidth: kind.pointwidth };
    case "windows":
      return { queryType: "windows" as const, width: kind.width };
  }
}

async function write(job: ExportJob, sink: Sink, from: bigint | undefined): Promise<Exported> {
  if (job.grid !== undefined) return await writeGrid(job, job.grid, sink);
  const { context, db, streams, labels, range, kind } = job;
  const counter = { bytes: 0 };
  const chain: TransformStream<Uint8Array, Uint8Array>[] = [];
  const form = formOf(job);
  if (form !== undefined) chain.push(inForm(form, from === undefined));
  else if (from !== undefined) chain.push(withoutHeader());
  const target = targetOf(chain, sink, counter);
  const done = await db.writeCSV(target.sink, {
    ...queryOf(kind),
    start: from ?? range.start,
    end: range.end,
    streams: streams.map(({ stream }, i) => ({ stream, label: labels[i]! })),
    numbers: job.numbers,
    timeDigits: digitsOf(form),
    includeVersions: job.includeVersions,
    inThread: mayStartThreads(),
    signal: context.signal,
    onProgress: (written) => showProgress(job, { ...written, bytes: counter.bytes }),
  });
  await target.done;
  return { rows: done.rows, bytes: counter.bytes };
}

/** Writes the rows at regular times in which any of the streams has a value. */
async function writeGrid(job: ExportJob, grid: GridRules, sink: Sink): Promise<Exported> {
  const { labels, numbers } = job;
  const counter = { bytes: 0 };
  const form = formOf(job);
  const chain = form === undefined ? [] : [inForm(form, true)];
  const { stream, done } = piped(chain, counted(sink.stream, counter));
  const writer = stream.getWriter();
  const csv = (times: BigInt64Array, values: readonly Float64Array[], header: boolean) =>
    formatCsv(
      labels.map((label, s) => ({ label, columns: present(times, values[s]!) })),
      { numbers, header, timeDigits: digitsOf(form) },
    );
  let rows = 0;
  try {
    const none = new Float64Array(0);
    await writer.write(csv(new BigInt64Array(0), labels.map(() => none), true));
    const aligned = gridOf(job, grid);
    for await (const { times, values } of aligned) {
      await writer.write(csv(times, values, false));
      for (let i = 0; i < times.length; i++) {
        if (values.some((column) => !Number.isNaN(column[i]!))) rows++;
      }
      showProgress(job, { rows, bytes: counter.bytes, time: times.at(-1)! });
    }
    await writer.close();
    await done;
    aligned.counts.forEach((count, s) => sayCount(job, s, count));
  } catch (error) {
    await writer.abort(error).catch(() => {});
    throw error;
  }
  return { rows, bytes: counter.bytes };
}

/** The form of the rows, unless they are BTrDB's own CSV. */
function formOf({ ndjson, times, kind, labels }: ExportJob): TextForm | undefined {
  const { as, tz, isReadableIn } = times;
  const rows = { kind: kind.kind === "raw" ? "raw" as const : "windows" as const, labels, tz };
  if (ndjson) return { ...rows, format: "ndjson", time: as ?? "ns" };
  if (as !== undefined) return { ...rows, format: "csv", time: as };
  return isReadableIn ? { ...rows, format: "csv", time: "rfc3339", keepsNs: true } : undefined;
}

/** Digits of the times from which another form is made. */
function digitsOf(form: TextForm | undefined): 0 | 9 {
  return form === undefined ? 0 : 9;
}

/** Target of the CSV: the sink itself if no transform is in between. */
function targetOf(
  chain: readonly TransformStream<Uint8Array, Uint8Array>[],
  sink: Sink,
  counter: { bytes: number },
): { sink: ByteSink; done: Promise<void> } {
  const { write } = sink;
  if (chain.length > 0 || write === undefined) {
    const { stream, done } = piped(chain, counted(sink.stream, counter));
    return { sink: stream, done };
  }
  const count = (bytes: Uint8Array): void => {
    counter.bytes += bytes.length;
    write(bytes);
  };
  return { sink: count, done: Promise.resolve() };
}

/** A stream that counts what goes through. */
function counted(
  sink: WritableStream<Uint8Array>,
  counter: { bytes: number },
): WritableStream<Uint8Array> {
  const writer = sink.getWriter();
  return new WritableStream({
    async write(bytes) {
      counter.bytes += bytes.length;
      await writer.write(bytes);
    },
    close: () => writer.close(),
    abort: (reason) => writer.abort(reason),
  });
}

/** Puts transformations in front of a stream. */
function piped(
  chain: readonly TransformStream<Uint8Array, Uint8Array>[],
  sink: WritableStream<Uint8Array>,
): { stream: WritableStream<Uint8Array>; done: Promise<void> } {
  let stream = sink;
  const pipes: Promise<void>[] = [];
  for (const transform of [...chain].reverse()) {
    const pipe = transform.readable.pipeTo(stream);
    pipe.catch(() => {});
    pipes.push(pipe);
    stream = transform.writable;
  }
  const done = Promise.all(pipes).then(() => {});
  // The writer hears of a failure first, and then nobody waits for this.
  done.catch(() => {});
  return { stream, done };
}

/** Drops the first line. */
function withoutHeader(): TransformStream<Uint8Array, Uint8Array> {
  let header = true;
  let quoted = false;
  return new TransformStream({
    transform(bytes, controller) {
      let at = 0;
      for (; header && at < bytes.length; at++) {
        if (bytes[at] === 34) quoted = !quoted;
        header = bytes[at] !== 10 || quoted;
      }
      if (at < bytes.length) controller.enqueue(bytes.subarray(at));
    },
  });
}
