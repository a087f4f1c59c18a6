const MASK = (1n << 64n) - 1n;
const BYTES_PER_WORD = 8;

/**
 * SipHash-2-4 with a zero key, which is how Qdrant 1.19 assigns a UUID to a slice (reference: Aumasson and Bernstein, "SipHash: a fast short-input PRF").
 *
 * @param bytes a multiple of 8 bytes long, as the 16 bytes of a UUID are
 */
export function sipHash24(bytes: Uint8Array): bigint {
  const state: [bigint, bigint, bigint, bigint] = [0x736f6d6570736575n, 0x646f72616e646f6dn, 0x6c7967656e657261n, 0x7465646279746573n];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 0; offset < bytes.length; offset += BYTES_PER_WORD) absorb(state, view.getBigUint64(offset, true));
  absorb(state, BigInt(bytes.length & 0xff) << 56n);
  state[2] ^= 0xffn;
  for (let i = 0; i < 4; i++) round(state);
  return state[0] ^ state[1] ^ state[2] ^ state[3];
}

function absorb(state: [bigint, bigint, bigint, bigint], word: bigint): void {
  state[3] ^= word;
  round(state);
  round(state);
  state[0] ^= word;
}

function round(v: [bigint, bigint, bigint, bigint]): void {
  v[0] = (v[0] + v[1]) & MASK;
  v[1] = rotate(v[1], 13n) ^ v[0];
  v[0] = rotate(v[0], 32n);
  v[2] = (v[2] + v[3]) & MASK;
  v[3] = rotate(v[3], 16n) ^ v[2];
  v[0] = (v[0] + v[3]) & MASK;
  v[3] = rotate(v[3], 21n) ^ v[0];
  v[2] = (v[2] + v[1]) & MASK;
  v[1] = rotate(v[1], 17n) ^ v[2];
  v[2] = rotate(v[2], 32n);
}

function rotate(word: bigint, by: bigint): bigint {
  return ((word << by) | (word >> (64n - by))) & MASK;
}
