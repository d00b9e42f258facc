// The core's entry: it only re-exports, one line per concept.
// Pointers are byte addresses in the arena, lengths are counted in elements.

export * from "./arena";
export * from "./decode";
export * from "./encode";
