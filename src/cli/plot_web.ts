/**
 * The plotter's page for a database, served to this machine only, with a one-time key.
 *
 * @module
 */

import type { BTrDB } from "../../mod.ts";
import { onAbort } from "../core/call.ts";
import { encodeView } from "../web/plotter/view_fragment.ts";
import { withStream } from "../web/plotter/view_changes.ts";
import { EMPTY_VIEW, type ViewState } from "../web/plotter/view_state.ts";
import type { Context } from "./context.ts";
import { OneTimeLink } from "./one_time_link.ts";
import type { TimeRange } from "./ranges.ts";
import type { NamedStream } from "./words/stream_names.ts";

/** Length of the key, bytes. */
const KEY_BYTES = 24;

/** Options of {@linkcode plotWeb}. */
export interface PlotWebOptions {
  /** True to print the address only. */
  readonly noOpen: boolean;
}

/**
 * Serves the plotter until it is interrupted.
 *
 * @param range Range to show, or `undefined` if there are no points.
 */
export async function plotWeb(
  context: Context,
  db: BTrDB,
  streams: readonly NamedStream[],
  range: TimeRange | undefined,
  { noOpen }: PlotWebOptions,
): Promise<void> {
  const { serve } = await import("../server/mod.ts");
  const key = crypto.getRandomValues(new Uint8Array(KEY_BYTES)).toHex();
  await using server = await serve(db, {
    hostname: "127.0.0.1",
    port: 0,
    http: { port: 0 },
    apiKeys: [{ key, capabilities: ["read"] }],
  });
  const fragment = encodeView(viewOf(streams, range, context.frame.tz));
  const url = `http://127.0.0.1:${server.httpPort}/#key=${key}&${fragment}`;
  if (context.json) context.printJson({ url });
  else context.print(`${url}\n`);
  await using link = noOpen ? undefined : new OneTimeLink(url);
  const isOpened = link !== undefined && await openBrowser(link.url);
  context.talk(`${isOpened ? "Opened in the browser" : "Open it in a browser"}; interrupt to stop`);
  if (!context.signal.aborted) {
    await new Promise<void>((resolve) => onAbort(context.signal, resolve));
  }
}

/** The view of streams in a range. */
export function viewOf(
  streams: readonly NamedStream[],
  range: TimeRange | undefined,
  zone: string,
): ViewState {
  const units = new Map(streams.map(({ uuid, unit }) => [uuid, unit]));
  const view = streams.reduce(
    (view, { uuid }) => withStream(view, uuid, (id) => units.get(id)),
    EMPTY_VIEW,
  );
  return { ...view, zone, range: range ?? view.range };
}

/** Opens an address in the browser; false if there is none to be seen. */
async function openBrowser(url: string): Promise<boolean> {
  const env = (name: string) => (Deno.env.get(name) ?? "") !== "";
  const programs: Record<string, readonly [string, ...string[]]> = {
    darwin: ["open"],
    windows: ["rundll32", "url.dll,FileProtocolHandler"],
  };
  const [program, ...args] = programs[Deno.build.os] ?? ["xdg-open"];
  if (Deno.build.os === "linux" && !env("DISPLAY") && !env("WAYLAND_DISPLAY")) return false;
  try {
    const command = new Deno.Command(program, {
      args: [...args, url],
      stdout: "null",
      stderr: "null",
    });
    return (await command.output()).success;
  } catch {
    return false;
  }
}
