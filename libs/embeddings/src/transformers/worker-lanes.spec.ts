import { Claim } from './claim.js';
import { WorkerLanes } from './worker-lanes.js';
import type { EmbedMessage, Lane } from './worker-protocol.js';

const message = (text: string, lane: Lane, claim = new Claim()): EmbedMessage => ({ id: 1, lane, text, claim: claim.shared });

describe('WorkerLanes', () => {
  it('gives queries before documents, each in order of arrival', () => {
    const lanes = new WorkerLanes(1);
    for (const [text, lane] of [
      ['d1', 'document'],
      ['q1', 'query'],
      ['d2', 'document'],
      ['q2', 'query'],
    ] as const)
      lanes.push(message(text, lane));
    expect([lanes.next()?.text, lanes.next()?.text, lanes.next()?.text, lanes.next()?.text, lanes.next()]).toEqual([
      'q1',
      'q2',
      'd1',
      'd2',
      null,
    ]);
  });

  it('lets exactly one thread have a text that several were offered', () => {
    const [one, two] = [new WorkerLanes(1), new WorkerLanes(2)];
    const claim = new Claim();
    for (const lanes of [one, two]) lanes.push(message('shared', 'query', claim));
    expect(two.next()?.text).toBe('shared');
    expect(one.next()).toBeNull();
    expect(claim.holder).toBe(2);
  });

  it('drops a text that was withdrawn, and a text that was taken cannot be withdrawn', () => {
    const lanes = new WorkerLanes(1);
    const [withdrawn, taken] = [new Claim(), new Claim()];
    expect(withdrawn.withdraw()).toBe(true);
    lanes.push(message('withdrawn', 'document', withdrawn));
    lanes.push(message('taken', 'document', taken));
    expect(lanes.next()?.text).toBe('taken');
    expect(taken.withdraw()).toBe(false);
    expect(withdrawn.holder).toBeNull();
  });
});
