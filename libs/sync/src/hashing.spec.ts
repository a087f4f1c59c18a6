import { toBytes, toVector } from './cache/vector-bytes.js';
import { bucketOf, payloadHashOf, textHashOf } from './hashing.js';

describe('hashing', () => {
  it('tells model, template and text apart, also where they meet', () => {
    const hashes = [textHashOf('m', 't', 'x'), textHashOf('m', 'tx', ''), textHashOf('mt', '', 'x'), textHashOf('m', 't', 'x ')];
    expect(new Set(hashes.map((hash) => hash.toString('hex'))).size).toBe(4);
    expect(textHashOf('m', 't', 'x').equals(textHashOf('m', 't', 'x'))).toBe(true);
    expect(textHashOf('m', 't', 'x')).toHaveLength(32);
  });

  it('does not depend on the order of the payload, and tells null from absent', () => {
    expect(payloadHashOf({ a: 1, b: 'x' }).equals(payloadHashOf({ b: 'x', a: 1 }))).toBe(true);
    expect(payloadHashOf({ a: null }).equals(payloadHashOf({}))).toBe(false);
    expect(payloadHashOf({ a: 1 }).equals(payloadHashOf({ a: '1' }))).toBe(false);
  });

  it('takes the last byte as bucket', () => {
    expect(bucketOf('00000000-0000-4000-8000-0000000000AB')).toBe('ab');
  });
});

describe('vector bytes', () => {
  it('come back bit for bit, also from the middle of a buffer that is not aligned', () => {
    const vector = Float32Array.of(0.1, -2.5, 3e-30, 0);
    const framed = Buffer.concat([Buffer.of(7), toBytes(vector), Buffer.of(9)]).subarray(1, 17);
    expect([...toVector(framed)]).toEqual([...vector]);
    expect(toBytes(vector).subarray(4, 8)).toEqual(Buffer.from([0, 0, 0x20, 0xc0]));
  });
});
