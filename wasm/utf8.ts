// The encoding of text.

/** Tells whether bytes are UTF-8 as RFC 3629 has it: shortest forms, no surrogates. */
export function isUtf8(p: usize, length: usize): bool {
  const end = p + length;
  while (p < end) {
    const c = <u32>load<u8>(p++);
    if (c < 0x80) continue;
    let more = 1;
    let least: u32 = 0x80, most: u32 = 0xbf;
    if (c >= 0xf0) {
      more = 3;
      if (c == 0xf0) least = 0x90;
      if (c == 0xf4) most = 0x8f;
    } else if (c >= 0xe0) {
      more = 2;
      if (c == 0xe0) least = 0xa0;
      if (c == 0xed) most = 0x9f;
    }
    if (c < 0xc2 || c > 0xf4 || p + more > end) return false;
    for (; more > 0; more--) {
      const next = <u32>load<u8>(p++);
      if (next < least || next > most) return false;
      least = 0x80;
      most = 0xbf;
    }
  }
  return true;
}
