import { findTextDefect } from './text-rules.js';
import { jsonPointerOf } from './json-pointer.js';

describe('jsonPointerOf', () => {
  it('leads along a path, with escapes', () => {
    expect(jsonPointerOf([])).toBe('');
    expect(jsonPointerOf(['a', 0, ''])).toBe('/a/0/');
    expect(jsonPointerOf(['a/b', '~c', '~1'])).toBe('/a~1b/~0c/~01');
  });

  it('can be stored, whatever the names are', () => {
    expect(jsonPointerOf(['a\0b', '\ud800', '🪵'])).toBe('/a\ufffdb/\ufffd/🪵');
    for (const name of ['\0', '\udc00x', `${'🪵'.repeat(300)}\0`]) expect(findTextDefect(jsonPointerOf([name, name]))).toBeNull();
  });

  it('is cut without breaking a character', () => {
    const pointer = jsonPointerOf(['🪵'.repeat(1_000)]);
    expect([[...pointer].length, pointer.at(-1), pointer.isWellFormed()]).toEqual([201, '…', true]);
  });
});
