import { RowDigest } from './row-digest.js';

describe('RowDigest', () => {
  const of = (...chunks: string[]) => {
    const digest = new RowDigest();
    for (const chunk of chunks) digest.update(Buffer.from(chunk));
    return { rows: digest.rows, digest: digest.digest() };
  };

  it('does not depend on the order of the rows, nor on where the chunks end', () => {
    const whole = of('1\tünïcode\n2\ta\\nb\n2\ta\\nb\n');
    expect(whole.rows).toBe(3);
    expect(of('2\ta\\nb\n1\tünïcode\n2\ta\\nb\n')).toEqual(whole);
    expect(of('1\tü', 'nïcode', '\n2\ta\\nb', '\n', '2\ta\\nb\n')).toEqual(whole);
  });

  it('differs for a changed, a missing and a doubled row', () => {
    const whole = of('1\ta\n2\tb\n').digest;
    expect(
      [of('1\ta\n2\tc\n'), of('1\ta\n'), of('1\ta\n2\tb\n2\tb\n'), of('1\ta2\n\tb\n'), of()].map(({ digest }) => digest),
    ).not.toContain(whole);
  });

  it('refuses a row without an end', () => {
    expect(() => of('1\ta\n2')).toThrow('cut off');
  });
});
