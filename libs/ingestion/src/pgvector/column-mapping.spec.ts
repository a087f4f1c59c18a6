import { parseColumnMapping } from './column-mapping.js';

describe('parseColumnMapping', () => {
  it('reads fields and their columns', () => {
    expect(parseColumnMapping('content=Text Body, external_id=id,vector=embedding')).toEqual({
      content: 'Text Body',
      external_id: 'id',
      vector: 'embedding',
    });
  });

  it.each([
    ['content', 'must be like'],
    ['content=a=b,external_id=id', 'must be like'],
    ['content=,external_id=id', 'must be like'],
    ['body=a', 'knows no field "body"'],
    ['content=a,content=b', 'names content twice'],
    ['content=a', 'must name a column for external_id'],
    ['title=a', 'must name a column for external_id and content'],
  ])('refuses %s', (text, message) => {
    expect(() => parseColumnMapping(text)).toThrow(message);
  });
});
