/**
 * Metrics of a whole server, and the port where they can be read.
 *
 * @module
 */

import { memoryUsage } from "node:process";
import type { CallLimit } from "./call_limit.ts";
import type { Spool } from "./http/data/spool.ts";
import { Metrics } from "./metrics.ts";
import { MetricsListener } from "./metrics_http.ts";
import type { Readiness } from "./readiness.ts";
import type { ServeOptions } from "./options.ts";
import type { OnStrangeError } from "./transport/contain_errors.ts";
import type { SendTimeout } from "./unread_answers.ts";

/** Metrics of calls, and of what the server holds. */
export function metricsOf(
  gate: CallLimit,
  timeout: SendTimeout,
  connections: () => number,
  spool: Spool,
  readiness: Readiness,
): Metrics {
  return new Metrics([
    { name: "btrdb_server_calls_running", help: "Calls worked on.", read: () => gate.running },
    { name: "btrdb_server_calls_waiting", help: "Calls kept waiting.", read: () => gate.waiting },
    {
      name: "btrdb_server_unread_answers_total",
      help: "Answers ended because their clients did not read.",
      isCounter: true,
      read: () => timeout.ended,
    },
    { name: "btrdb_server_connections", help: "Connections open.", read: connections },
    {
      name: "btrdb_server_ready",
      help: "1 if calls can be answered, 0 while it stops or its database cannot be used.",
      read: () => readiness.obstacle() === undefined ? 1 : 0,
    },
    { name: "btrdb_server_spool_bytes", help: "Files kept for HTTP.", read: () => spool.bytes },
    {
      name: "process_resident_memory_bytes",
      help: "Memory of the process.",
      read: () => memoryUsage().rss,
    },
    {
      name: "process_heap_bytes",
      help: "JavaScript objects in use.",
      read: () => memoryUsage().heapUsed,
    },
    {
      name: "process_external_bytes",
      help: "Buffers outside of the JavaScript heap.",
      read: () => memoryUsage().external,
    },
  ]);
}

/** Opens the port of the metrics, if the options ask for one. */
export async function openPages(
  options: ServeOptions,
  hostname: string,
  metrics: Metrics,
  readiness: Readiness,
  onStrangeError: OnStrangeError,
): Promise<MetricsListener | undefined> {
  if (options.metricsPort === undefined) return undefined;
  return await MetricsListener.open(options.metricsHost ?? hostname, options.metricsPort, {
    metrics: () => metrics.text(),
    obstacle: () => readiness.obstacle(),
    onStrangeError,
  });
}
