/**
 * Messages with points, between wire bytes and columns. The rest of the protocol's messages are
 * small, and protobuf-es reads and writes them.
 *
 * @module
 */

export { decodeInsert, decodeInsertInSteps, type InsertMessage } from "./decode_insert.ts";
export { decodeRawResponse, decodeStatResponse, type ResponseHead } from "./decode_response.ts";
export {
  encodeInsert,
  encodeInsertInto,
  encodeRawResponse,
  encodeSubscribeResponse,
  insertBytes,
  type MessageMemory,
} from "./encode.ts";
export { askForBlocks, asksForBlocks, encodeBlocksResponse } from "./wire_blocks.ts";
