import type { IndexGeneration } from '../../generations/index-generation.js';
import type { Certificate, CertificateDecision } from '../../reconciler/certificate.js';
import type { QuickCheckResult } from '../../reconciler/quick-check-result.js';
import { quickCheckWork } from './quick-check-work.js';

const GENERATION = { id: 3 } as IndexGeneration;
const RUNNING = new AbortController().signal;
const RESULT = { decision: 'clean' } as QuickCheckResult;

describe('quickCheckWork', () => {
  async function check(run: string | null, latest: { run: string | null; decision: CertificateDecision } | null): Promise<unknown> {
    const certificate = latest && ({ decision: latest.decision, report: { store: { run: latest.run } } } as Certificate);
    const work = quickCheckWork({
      quickCheck: { run: async () => RESULT },
      store: { unprovenRun: async () => run },
      certificates: { latest: async () => certificate },
      reconcile: async ({ id }) => `certificate of ${id}`,
    });
    return work(GENERATION, RUNNING);
  }

  it.each(['clean', 'repaired', 'differs', 'refused', 'running'] as const)(
    'is content with a certificate of this run that is %s',
    async (decision) => {
      await expect(check('2', { run: '2', decision })).resolves.toEqual(RESULT);
    },
  );

  it.each(['failed', 'incomplete'] as const)('reconciles when the one of this run is %s', async (decision) => {
    await expect(check('2', { run: '2', decision })).resolves.toEqual({ ...RESULT, after_restart: 'certificate of 3' });
  });

  it('reconciles when the server has been restarted, or nothing was ever proven', async () => {
    await expect(check('2', { run: '1', decision: 'clean' })).resolves.toHaveProperty('after_restart');
    await expect(check('2', null)).resolves.toHaveProperty('after_restart');
  });

  it('reconciles nothing when the server keeps its word', async () => {
    await expect(check(null, null)).resolves.toEqual(RESULT);
    await expect(check(null, { run: '1', decision: 'clean' })).resolves.toEqual(RESULT);
  });
});
