/**
 * A reader that costs next to nothing: HTTP/2 by hand over one TCP connection, of which bytes are
 * counted and dropped. So a bench tells what the server can do, not its clients.
 *
 * @module
 */

/** Largest number of bytes under way, as with the clients of this package. */
const WINDOW_BYTES = 4 << 20;

/** Bytes after which the server is told that they were taken. */
const UPDATE_BYTES = 1 << 20;

const READ_BYTES = 256 << 10;
const HEAD_BYTES = 9;
const [DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE] = [0, 1, 4, 6, 8];
const END_STREAM = 1, END_HEADERS = 4, ACK = 1;

const text = (value: string): number[] => [...new TextEncoder().encode(value)];

const uint32 = (value: number): number[] => [value >>> 24, value >>> 16, value >>> 8, value];

function frame(type: number, flags: number, stream: number, payload: readonly number[]): number[] {
  return [...uint32(payload.length).slice(1), type, flags, ...uint32(stream), ...payload];
}

/** A field in HPACK (RFC 7541), 6.2.2: not indexed, its name from the static table or in full. */
function field(name: number | string, value: string): number[] {
  const named = typeof name === "string"
    ? [0, name.length, ...text(name)]
    : name < 15
    ? [name]
    : [15, name - 15];
  return [...named, value.length, ...text(value)];
}

/** The header of a call: `POST` and `http` are indexed, 1 is `:authority`, 4 `:path`, 31 the type. */
function headers(address: string, path: string): number[] {
  const fields = [field(1, address), field(4, path), field(31, "application/grpc")];
  return [0x83, 0x86, ...fields.flat(), ...field("te", "trailers")];
}

/** Counts the bytes of a streamed answer that is asked for again and again. */
export class CountingReader {
  /** Bytes of all messages so far, with their heads. */
  bytes = 0;
  readonly #connection: Deno.Conn;
  readonly #call: readonly number[];
  readonly #request: readonly number[];
  readonly #buffer = new Uint8Array(READ_BYTES);
  /** A beginning of a frame that is not whole. */
  #kept = 0;
  #left = 0;
  #untold = 0;
  #stream = 1;

  private constructor(connection: Deno.Conn, call: readonly number[], request: Uint8Array) {
    this.#connection = connection;
    this.#call = call;
    this.#request = [0, ...uint32(request.length), ...request];
  }

  /**
   * @param address `host:port`.
   * @param path Method, `/package.Service/Method`.
   * @param request Its message.
   */
  static async connect(
    address: string,
    path: string,
    request: Uint8Array,
  ): Promise<CountingReader> {
    const [hostname, port] = address.split(":");
    const connection = await Deno.connect({ hostname: hostname!, port: Number(port) });
    const reader = new CountingReader(connection, headers(address, path), request);
    await reader.#send([
      ...text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      ...frame(SETTINGS, 0, 0, [0, 4, ...uint32(WINDOW_BYTES)]),
      ...frame(WINDOW_UPDATE, 0, 0, uint32(WINDOW_BYTES - 65_535)),
    ]);
    return reader;
  }

  /**
   * Reads an answer to its end.
   *
   * @throws {Error} If it ends otherwise, or has other than so many bytes.
   */
  async read(expected?: number): Promise<number> {
    const before = this.bytes;
    await this.#send([
      ...frame(HEADERS, END_HEADERS, this.#stream, this.#call),
      ...frame(DATA, END_STREAM, this.#stream, this.#request),
    ]);
    while (!await this.#take()) { /* The next bytes. */ }
    this.#stream += 2;
    const bytes = this.bytes - before;
    if (expected !== undefined && bytes !== expected) {
      throw new Error(`An answer of ${bytes} bytes, expected ${expected}`);
    }
    return bytes;
  }

  async #send(bytes: readonly number[]): Promise<void> {
    const all = Uint8Array.from(bytes);
    for (let at = 0; at < all.length;) at += await this.#connection.write(all.subarray(at));
  }

  /** Reads some bytes; true at the end of the answer. */
  async #take(): Promise<boolean> {
    const buffer = this.#buffer;
    const n = await this.#connection.read(buffer.subarray(this.#kept));
    if (n === null) throw new Error("The server has closed the connection");
    const end = this.#kept + n;
    let at = Math.min(end, this.#left);
    this.#left -= at;
    let isOver = false;
    const answers: number[] = [];
    while (this.#left === 0 && end - at >= HEAD_BYTES) {
      const length = buffer[at]! << 16 | buffer[at + 1]! << 8 | buffer[at + 2]!;
      const type = buffer[at + 3]!, flags = buffer[at + 4]!;
      if (type === DATA) {
        this.bytes += length;
        this.#untold += length;
      } else if (end - at < HEAD_BYTES + length) break;
      else if (type === HEADERS) isOver = (flags & END_STREAM) !== 0;
      else if (type === SETTINGS && flags !== ACK) answers.push(...frame(SETTINGS, ACK, 0, []));
      else if (type === PING && flags !== ACK) {
        answers.push(...frame(PING, ACK, 0, [...buffer.subarray(at + HEAD_BYTES, at + 17)]));
      } else if (type !== SETTINGS && type !== PING && type !== WINDOW_UPDATE) {
        throw new Error(`A frame of type ${type}`);
      }
      const frameEnd = at + HEAD_BYTES + length;
      this.#left = Math.max(0, frameEnd - end);
      at = Math.min(end, frameEnd);
    }
    buffer.copyWithin(0, at, end);
    this.#kept = end - at;
    if (this.#untold >= UPDATE_BYTES) {
      const update = uint32(this.#untold);
      answers.push(...frame(WINDOW_UPDATE, 0, 0, update));
      if (!isOver) answers.push(...frame(WINDOW_UPDATE, 0, this.#stream, update));
      this.#untold = 0;
    }
    if (answers.length > 0) await this.#send(answers);
    return isOver;
  }
}
