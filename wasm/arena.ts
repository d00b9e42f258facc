// The arena: all memory behind the module's own tables. It belongs to the call under way: the caller
// lays out inputs and outputs in it, calls, copies out, and nothing in it outlives the call. The
// caller grows the memory; no kernel allocates. See src/kernel/arena.ts for the other half.

/** First byte of the arena, aligned to a cache line. */
export function arenaBase(): usize {
  return (__heap_base + 63) & ~63;
}
