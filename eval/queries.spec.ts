import { parseQueries } from './queries.js';

const parse = (text: string) => parseQueries('q', Buffer.from(text));

describe('parseQueries', () => {
  it('reads JSON Lines with language and style', () => {
    expect(parse('{"id":"a","text":"oak","language":"en","style":"keywords"}\n\n{"id":"b","text":"Eiche"}\n')).toEqual([
      { id: 'a', text: 'oak', language: 'en', style: 'keywords' },
      { id: 'b', text: 'Eiche' },
    ]);
  });

  it('reads the JSON Lines of BEIR and leaves its metadata alone', () => {
    expect(parse('{"_id":"7","text":"oak","metadata":{}}')).toEqual([{ id: '7', text: 'oak' }]);
  });

  it('reads two columns', () => {
    expect(parse('1\tsolid oak\r\n2\tash\n')).toEqual([
      { id: '1', text: 'solid oak' },
      { id: '2', text: 'ash' },
    ]);
  });

  it.each([
    ['no id', '{"text":"oak"}', 'q:1: needs "id"'],
    ['a number as id', '{"_id":7,"text":"oak"}', 'q:1: needs "_id"'],
    ['a blank text', '{"id":"a","text":"oak"}\n{"id":"b","text":" "}', 'q:2: needs "text"'],
    ['a language that is no text', '{"id":"a","text":"oak","language":1}', 'q:1: needs "language"'],
    ['an id given twice', '{"id":"a","text":"oak"}\n{"id":"a","text":"ash"}', 'q:2: gives the query a a second time'],
    ['columns without a tab', '1\toak\n2 ash', 'q:2: needs two columns'],
    ['a third column', '1\toak\ten', 'q:1: needs two columns'],
    ['columns among JSON Lines', '{"id":"a","text":"oak"}\n2\tash', 'q:2: is not JSON'],
    ['an empty file', '', 'q is empty'],
  ])('refuses %s', (_, text, message) => {
    expect(() => parse(text)).toThrow(message);
  });
});
