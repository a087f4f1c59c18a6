import { uuidSuccessor } from './uuid-successor.js';

describe('uuidSuccessor', () => {
  it.each([
    ['00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000001'],
    ['00000000-0000-4000-8000-0000000000ff', '00000000-0000-4000-8000-000000000100'],
    ['0000000a-ffff-ffff-ffff-ffffffffffff', '0000000b-0000-0000-0000-000000000000'],
    ['ABCDEF01-2345-4789-8ABC-DEFABCDEF01F', 'abcdef01-2345-4789-8abc-defabcdef020'],
  ])('follows %s', (id, successor) => {
    expect(uuidSuccessor(id)).toBe(successor);
  });

  it('ends behind the last one', () => {
    expect(uuidSuccessor('ffffffff-ffff-ffff-ffff-ffffffffffff')).toBeNull();
  });
});
