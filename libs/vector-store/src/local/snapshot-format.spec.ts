import fc from 'fast-check';
import { collectionOfFile, decodeColumn, encodeColumn } from './snapshot-format.js';

const cell = fc.oneof(
  fc.constant(undefined),
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
  fc.constantFrom('kitchen', 'stairs'),
  fc.string(),
);

describe('columns of a snapshot', () => {
  it('come back from JSON as they were', () => {
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 40 }), (cells) => {
        const text = JSON.stringify(encodeColumn(cells));
        expect(decodeColumn(JSON.parse(text) as ReturnType<typeof encodeColumn>, cells.length)).toEqual(cells);
      }),
    );
  });

  it('are refused when they are shorter than the block', () => {
    expect(() => decodeColumn(encodeColumn(['a', 'a', 'a', 'a']), 5)).toThrow();
    expect(() => decodeColumn(encodeColumn(['a', 'b', 'c']), 4)).toThrow();
  });
});

describe('collectionOfFile', () => {
  it('knows snapshots from everything else', () => {
    expect(collectionOfFile('kindred_projects_g1.snapshot')).toBe('kindred_projects_g1');
    expect(collectionOfFile('kindred_projects_g1.snapshot.tmp')).toBeNull();
    expect(collectionOfFile('kindred_projects_g1.snapshot.damaged')).toBeNull();
    expect(collectionOfFile('aliases.json')).toBeNull();
  });
});
