/**
 * Counters of a server, in the text format of Prometheus (docs/server.md, "Metrics").
 *
 * @module
 */

import { BTrDBError } from "../core/errors.ts";

/** Upper bounds of the histogram of durations, s. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Form of statuses that become labels: those of this package, of which there are few. */
const KNOWN_STATUS = /^[A-Z_]{1,32}$/;

/** One finished call. */
export interface CallRecord {
  /** Full name of the service. */
  service: string;
  rpc: string;
  /** `"OK"`, a BTrDB code as text, or the name of a gRPC status. */
  code: string;
  seconds: number;
  bytesReceived: number;
  bytesSent: number;
}

/** Labels of a call: of its method, and with how it ended. */
interface CallLabels {
  readonly key: string;
  readonly full: string;
}

interface Histogram {
  buckets: number[];
  sum: number;
  count: number;
}

/** A gauge or a counter that is read when it is asked for. */
export interface Gauge {
  name: string;
  help: string;
  /** True if it never falls. @default {false} */
  isCounter?: boolean;
  read: () => number;
}

/** Counters of one server. */
export class Metrics {
  readonly #gauges: readonly Gauge[];
  readonly #errors = new Map<string, number>();
  readonly #calls = new Map<string, number>();
  readonly #seconds = new Map<string, Histogram>();
  /** Labels of calls, by what they are made of. */
  readonly #labels = new Map<string, CallLabels>();
  #bytesReceived = 0;
  #bytesSent = 0;
  /** Points and windows sent to clients. */
  pointsRead = 0;
  /** Points inserted and acknowledged. */
  pointsInserted = 0;
  /** Lines of line protocol that were refused. */
  linesRefused = 0;
  /** Strings of line protocol that were left out. */
  stringsOmitted = 0;

  /** @param gauges Figures that are read when they are requested. */
  constructor(gauges: readonly Gauge[]) {
    this.#gauges = gauges;
  }

  /** Counts a finished call. */
  record(call: CallRecord): void {
    const { key, full } = this.#labelsOf(call);
    this.#calls.set(full, (this.#calls.get(full) ?? 0) + 1);
    this.#bytesReceived += call.bytesReceived;
    this.#bytesSent += call.bytesSent;
    let histogram = this.#seconds.get(key);
    if (histogram === undefined) {
      histogram = { buckets: BOUNDS.map(() => 0), sum: 0, count: 0 };
      this.#seconds.set(key, histogram);
    }
    histogram.sum += call.seconds;
    histogram.count++;
    const bucket = BOUNDS.findIndex((bound) => call.seconds <= bound);
    if (bucket >= 0) histogram.buckets[bucket]!++;
  }

  #labelsOf({ service, rpc, code }: CallRecord): CallLabels {
    const name = `${service}/${rpc}/${code}`;
    let known = this.#labels.get(name);
    if (known === undefined) {
      known = { key: labels({ service, rpc }), full: labels({ service, rpc, code }) };
      this.#labels.set(name, known);
    }
    return known;
  }

  /** Counts an error that no client can be blamed for. */
  recordError(error: unknown): void {
    const status = error instanceof BTrDBError ? error.status : "INTERNAL";
    const label = labels({ status: KNOWN_STATUS.test(status) ? status : "OTHER" });
    this.#errors.set(label, (this.#errors.get(label) ?? 0) + 1);
  }

  /** Everything, in the text format of Prometheus, version 0.0.4. */
  text(): string {
    const lines: string[] = [];
    head(lines, "btrdb_server_calls_total", "counter", "Calls finished, by how they ended.");
    for (const [key, count] of this.#calls) {
      lines.push(`btrdb_server_calls_total{${key}} ${count}`);
    }
    this.#histograms(lines);
    head(lines, "btrdb_server_errors_total", "counter", "Errors that no client is to blame for.");
    for (const [key, count] of this.#errors) {
      lines.push(`btrdb_server_errors_total{${key}} ${count}`);
    }
    counter(lines, "btrdb_server_points_read_total", "Points and windows sent.", this.pointsRead);
    counter(
      lines,
      "btrdb_server_points_inserted_total",
      "Points inserted and acknowledged.",
      this.pointsInserted,
    );
    counter(
      lines,
      "btrdb_server_lines_refused_total",
      "Lines of line protocol refused.",
      this.linesRefused,
    );
    counter(
      lines,
      "btrdb_server_strings_omitted_total",
      "Strings of line protocol left out.",
      this.stringsOmitted,
    );
    counter(lines, "btrdb_server_received_bytes_total", "Message bytes in.", this.#bytesReceived);
    counter(lines, "btrdb_server_sent_bytes_total", "Message bytes out.", this.#bytesSent);
    for (const gauge of this.#gauges) {
      head(lines, gauge.name, gauge.isCounter === true ? "counter" : "gauge", gauge.help);
      lines.push(`${gauge.name} ${gauge.read()}`);
    }
    return lines.join("\n") + "\n";
  }

  #histograms(lines: string[]): void {
    const name = "btrdb_server_call_seconds";
    head(lines, name, "histogram", "How long calls took.");
    for (const [key, histogram] of this.#seconds) {
      let below = 0;
      BOUNDS.forEach((bound, i) => {
        below += histogram.buckets[i]!;
        lines.push(`${name}_bucket{${key},le="${bound}"} ${below}`);
      });
      lines.push(`${name}_bucket{${key},le="+Inf"} ${histogram.count}`);
      lines.push(`${name}_sum{${key}} ${histogram.sum}`);
      lines.push(`${name}_count{${key}} ${histogram.count}`);
    }
  }
}

function head(lines: string[], name: string, type: string, help: string): void {
  lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
}

function counter(lines: string[], name: string, help: string, value: number): void {
  head(lines, name, "counter", help);
  lines.push(`${name} ${value}`);
}

function labels(pairs: Record<string, string>): string {
  return Object.entries(pairs)
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, "_")}"`)
    .join(",");
}
