import { copiesOf, finalStage, parseDockerfile } from './dockerfile-parser.js';

const TEXT = `# syntax comes later
FROM base:1 AS build
# a comment between
RUN first \\
 && second \\
 # a comment inside a continued command is dropped, as the builder does
 && third
COPY ./a b.json ./

FROM base:2
COPY --from=build --chown=1:1 /x/dist ./dist
CMD ["node", "main.js"]
`;

describe('parseDockerfile', () => {
  it('splits stages and joins continued lines', () => {
    const stages = parseDockerfile(TEXT);
    expect(stages.map(({ base, name }) => [base, name])).toEqual([
      ['base:1', 'build'],
      ['base:2', null],
    ]);
    expect(stages[0]?.instructions[0]).toEqual({ name: 'RUN', value: 'first  && second  && third' });
    expect(finalStage(stages).instructions.at(-1)).toEqual({ name: 'CMD', value: '["node", "main.js"]' });
  });

  it('tells copies from the context from copies between stages', () => {
    const [build, last] = parseDockerfile(TEXT);
    expect(build && copiesOf(build)).toEqual([{ from: null, sources: ['a', 'b.json'], destination: './' }]);
    expect(last && copiesOf(last)).toEqual([{ from: 'build', sources: ['/x/dist'], destination: './dist' }]);
  });

  it('refuses what it does not understand, rather than skipping it', () => {
    expect(() => parseDockerfile('FROM a\nrun lower case')).toThrow('no instruction');
    expect(() => parseDockerfile('RUN early')).toThrow('before the first FROM');
  });
});
