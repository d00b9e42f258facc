/**
 * The description of the routes of data by URL, in OpenAPI 3.1.
 *
 * @module
 */

/** A part of the document. */
type Json = { readonly [key: string]: unknown };

const text: Json = { type: "string" };

function parameter(name: string, description: string, schema: Json = text, more: Json = {}): Json {
  return { name, in: "query", description, schema, ...more };
}

const STREAM = "uuid, COLLECTION/NAME, or COLLECTION/* for all streams of a collection";

const TIME =
  "RFC 3339, a date, now-2h, 2h (ago), last-10m or ns since 1970, as the command takes them";

const DATA_PARAMETERS: readonly Json[] = [
  parameter("stream", `Stream: ${STREAM}; repeatable`, {
    type: "array",
    items: text,
    minItems: 1,
  }, { required: true, style: "form", explode: true }),
  parameter("start", `Start, inclusive: ${TIME}; without it the first point`),
  parameter(
    "end",
    `End, exclusive: ${TIME}, +30m (after the start); without it after the last point`,
  ),
  parameter("from", "Start in ms since 1970, instead of start", {
    type: "integer",
    format: "int64",
  }),
  parameter("to", "End in ms since 1970, instead of end", { type: "integer", format: "int64" }),
  parameter("points", "Windows instead of points: about so many over the range, never more", {
    type: "integer",
    minimum: 1,
    maximum: 1_000_000,
  }),
  parameter("width", "Windows of this width from the start on: a duration such as 1.5s, or ns"),
  parameter(
    "pointwidth",
    "Windows of 2^N ns, aligned: an exponent from 0 to 63, or a duration that is rounded down",
  ),
  parameter(
    "version",
    "Version of the stream, or one for each stream with commas; 0 is the latest",
  ),
  parameter("time", "Form of the times: instants, ns since 1970, or what clocks of tz show", {
    type: "string",
    enum: ["rfc3339", "ns", "naive"],
  }),
  parameter("tz", "Time zone of times that have none, and of those in the answer", {
    type: "string",
    default: "UTC",
    examples: ["Europe/Berlin", "+02:00"],
  }),
  parameter("label", "Names of the columns", {
    type: "string",
    enum: ["path", "name", "uuid"],
    default: "path",
  }),
  parameter(
    "safe-csv",
    "CSV alone: an apostrophe before names of columns that spreadsheets take for formulas",
    { type: "boolean", default: false },
  ),
];

const PREFIX = parameter("prefix", "What the names of collections begin with");

function metadata(name: string, example: Json): Json {
  return parameter(name, `Values that streams must have, as ${name}.KEY=VALUE`, {
    type: "object",
    // Of an exploded object only the properties are sent, so that they bear the whole name.
    propertyNames: { pattern: `^${name}\\..` },
    additionalProperties: text,
    examples: [example],
  }, { style: "form", explode: true });
}

const FAILURE: Json = {
  description: "A failure",
  content: { "application/json": { schema: { $ref: "#/components/schemas/Failure" } } },
};

function answer(description: string, type: string, schema: Json): Json {
  return { description, content: { [type]: { schema } } };
}

/** `GET` and `HEAD` of a path. */
function path(summary: string, id: string, parameters: readonly Json[], responses: Json): Json {
  const shared = { summary, parameters, tags: ["data"] };
  return {
    get: { ...shared, operationId: id, responses: { ...responses, default: FAILURE } },
    head: {
      ...shared,
      operationId: `${id}Head`,
      responses: { 200: { description: "As GET, without the body" }, default: FAILURE },
    },
  };
}

function header(description: string): Json {
  return { description, schema: text };
}

/** Header fields of answers with data. */
const DATA_HEADERS: Json = {
  etag: header("Name of the content, for If-None-Match and If-Match, and for If-Range of Parquet"),
  "btrdb-versions": header("Version of each stream that was read, unflushed points after the dot"),
  "content-location": header("The same answer with streams, range and versions pinned"),
  "btrdb-note": header("Times that integers were taken for which look like other units"),
};

/** `GET` and `HEAD` of data in a format. */
function data(format: string, type: string, what: string, schema: Json = {}): [string, Json] {
  const responses: Record<string, unknown> = {
    200: { ...answer(what, type, schema), headers: DATA_HEADERS },
    304: { description: "Not modified" },
    412: FAILURE,
  };
  if (format === "parquet") {
    responses[206] = { ...answer("A range of bytes", type, schema), headers: DATA_HEADERS };
    responses[416] = FAILURE;
  }
  const summary = `Points or windows as ${what}`;
  return [`/api/v1/data.${format}`, path(summary, `data_${format}`, DATA_PARAMETERS, responses)];
}

const ROW: Json = {
  type: "object",
  properties: { time: text },
  required: ["time"],
  additionalProperties: { type: ["number", "string"] },
};

const STREAM_SCHEMA: Json = {
  type: "object",
  required: [
    "uuid",
    "path",
    "collection",
    "name",
    "unit",
    "tags",
    "annotations",
    "propertyVersion",
  ],
  properties: {
    uuid: { type: "string", format: "uuid" },
    path: text,
    collection: text,
    name: { type: ["string", "null"] },
    unit: { type: ["string", "null"] },
    tags: { type: "object", additionalProperties: { type: ["string", "null"] } },
    annotations: { type: "object", additionalProperties: { type: ["string", "null"] } },
    propertyVersion: { type: "integer" },
    version: { type: "integer" },
    unflushed: { type: "integer", description: "Points that the version does not have yet" },
    first: { $ref: "#/components/schemas/Point" },
    last: { $ref: "#/components/schemas/Point" },
  },
};

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

/** The document behind `/openapi.json`. */
export const OPENAPI: Json = {
  openapi: "3.1.0",
  info: {
    title: "BTrDB data by URL",
    version: "1",
    description: "Streams, points and windows of a BTrDB database for programs that read URLs",
    license: { name: "MIT", identifier: "MIT" },
  },
  servers: [{ url: "/" }],
  security: [{}, { bearer: [] }, { basic: [] }],
  tags: [{ name: "data", description: "Streams and their data" }],
  paths: {
    "/openapi.json": path("This document", "openapi", [], {
      200: answer("OpenAPI 3.1", "application/json", { type: "object" }),
    }),
    "/api/v1/collections": path("Names of collections", "collections", [PREFIX], {
      200: answer("Names", "application/json", { type: "array", items: text }),
    }),
    "/api/v1/streams": path(
      "Streams",
      "streams",
      [
        PREFIX,
        parameter("collection", "Collection, instead of prefix"),
        metadata("tag", { "tag.unit": "volts" }),
        metadata("annotation", { "annotation.site": "S7" }),
      ],
      { 200: answer("Streams", "application/json", { type: "array", items: ref("Stream") }) },
    ),
    "/api/v1/streams/{stream}": path("One stream", "stream", [{
      name: "stream",
      in: "path",
      required: true,
      description: "uuid or COLLECTION/NAME",
      schema: text,
    }], { 200: answer("The stream", "application/json", ref("Stream")) }),
    ...Object.fromEntries([
      data("csv", "text/csv", "CSV", text),
      data("parquet", "application/vnd.apache.parquet", "Parquet"),
      data("arrow", "application/vnd.apache.arrow.stream", "an Arrow IPC stream"),
      data("ndjson", "application/x-ndjson", "JSON objects, one a line", text),
      data("json", "application/json", "an array of JSON objects", { type: "array", items: ROW }),
    ]),
  },
  components: {
    securitySchemes: {
      bearer: { type: "http", scheme: "bearer" },
      basic: { type: "http", scheme: "basic", description: "Any user; the password is the key" },
    },
    schemas: {
      Stream: STREAM_SCHEMA,
      Point: {
        type: ["object", "null"],
        required: ["time", "value"],
        properties: { time: { type: "string", format: "date-time" }, value: { type: "number" } },
      },
      Failure: {
        type: "object",
        required: ["error"],
        properties: {
          error: {
            type: "object",
            required: ["status", "code", "message"],
            properties: {
              status: { type: "integer", description: "HTTP status" },
              code: { type: "integer", description: "BTrDB's code; 0 if it has none" },
              message: text,
            },
          },
        },
      },
    },
  },
};
