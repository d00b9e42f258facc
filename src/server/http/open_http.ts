/**
 * Opens the HTTP port of a server, with what is under its paths.
 *
 * @module
 */

import { CollectionTemplate } from "../../core/collection_template.ts";
import type { Endpoint } from "../../endpoint/endpoint.ts";
import { httpAddressOf, type HttpOptions, type ServeOptions, writeOptionsOf } from "../options.ts";
import { dataRoutes, type DataRoutesOptions } from "./data/data_routes.ts";
import { HttpDispatcher, type HttpDispatcherOptions } from "./http_dispatcher.ts";
import { HttpPort, type HttpPortOptions } from "./http_port.ts";
import { PAGE_ROUTES } from "./plotter_page.ts";
import { type HttpRoute, HttpRoutes } from "./routes.ts";
import { writeRoutes } from "./write/write_routes.ts";

/** Options that the port shares with that of gRPC. */
export type SharedPortOptions = Omit<HttpPortOptions, "hostname" | "port" | "rules" | "requests">;

/**
 * Opens the port, if the options ask for one.
 *
 * @param options Options of the server.
 * @param hostname Address of the gRPC port, where the options give no other one.
 * @param shared Options of both ports.
 * @param around Parts that the handlers of all paths share.
 * @param data Options of data by URL.
 */
export async function openHttp(
  options: ServeOptions,
  hostname: string,
  shared: SharedPortOptions,
  around: Omit<HttpDispatcherOptions, "routes">,
  data: DataRoutesOptions,
): Promise<HttpPort | undefined> {
  const { http, apiKeys = [] } = options;
  if (http === undefined) return undefined;
  const address = httpAddressOf({ ...options, http }, hostname);
  const keyed = apiKeys.length > 0;
  return await HttpPort.open({
    ...shared,
    hostname: address.hostname,
    port: address.port,
    rules: { origins: address.origins, hostname: address.hostname, keyed },
    requests: new HttpDispatcher({
      ...around,
      routes: routesOf(http, shared, around.endpoint, data),
    }),
  });
}

/** Everything that is under a path of the HTTP port. */
function routesOf(
  http: HttpOptions,
  shared: SharedPortOptions,
  endpoint: Endpoint,
  data: DataRoutesOptions,
): HttpRoutes {
  const routes: HttpRoute[] = [...(http.pages ?? true ? PAGE_ROUTES : []), ...dataRoutes(data)];
  const write = writeOptionsOf(http);
  if (write !== undefined) {
    const { incoming, maxMessageBytes: maxBytes } = shared;
    const template = new CollectionTemplate(write.collection);
    const { maxStreams } = write;
    routes.push(...writeRoutes({ endpoint, template, maxStreams, maxBytes, incoming }));
  }
  return new HttpRoutes(routes);
}
