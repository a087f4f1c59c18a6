import { endianness } from 'node:os';

const BYTES_PER_COMPONENT = 4;

if (endianness() !== 'LE') throw new Error('Vectors are stored as little-endian float32; this machine is big-endian');

/** The vector as stored: float32, little-endian. Shares memory with the vector. */
export function toBytes(vector: Float32Array): Buffer {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
}

/** The vector of stored bytes, in memory of its own: the driver's buffer is part of a larger one and need not be aligned. */
export function toVector(bytes: Buffer): Float32Array {
  const vector = new Float32Array(Math.floor(bytes.length / BYTES_PER_COMPONENT));
  Buffer.from(vector.buffer).set(bytes.subarray(0, vector.byteLength));
  return vector;
}
