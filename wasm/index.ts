// The kernel's entry: it only re-exports, one line per concept. What a page needs is here, the rest in
// extended.ts. Pointers are byte addresses in the arena, lengths are counted in elements.

export * from "./arena";
export { decodeBlocks } from "./block";
export * from "./decode_raw";
export * from "./decode_stat";
export { encodeRaw } from "./encode";
export * from "./rewindow";
export * from "./check";
export { csvIsFull, csvRowCount, csvRows } from "./csv";
export { mergeCountRows, mergeRows } from "./merge";
export * from "./sort";
export * from "./pixels";
