import { ProgressLine } from './progress-line.js';

function newLine(isTTY: boolean) {
  const written: string[] = [];
  let nowMs = 0;
  const line = new ProgressLine({ isTTY, write: (text: string) => written.push(text) }, () => nowMs);
  return { line, written, wait: (ms: number) => void (nowMs += ms) };
}

describe('ProgressLine', () => {
  it('writes over itself on a terminal, and leaves nothing behind', () => {
    const { line, written } = newLine(true);
    line.show('100 of 200');
    line.show('100 of 200');
    line.show('done');
    line.end();
    expect(written).toEqual(['\r100 of 200', '\rdone      ', '\r    \r']);
  });

  it('writes plain lines elsewhere, now and then', () => {
    const { line, written, wait } = newLine(false);
    line.show('1');
    wait(4_999);
    line.show('2');
    wait(1);
    line.show('3');
    wait(60_000);
    line.show('3');
    line.end();
    expect(written).toEqual(['1\n', '3\n']);
  });
});
