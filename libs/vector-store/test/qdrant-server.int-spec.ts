import { spawnSync } from 'node:child_process';
import { describeVectorStoreContract, realQdrantUrl } from '#testing';
import { QdrantVectorStore } from '#vector-store';

const url = realQdrantUrl ?? '';
const apiKey = process.env['TEST_QDRANT_API_KEY'] ?? null;
/** `npm run test:qdrant` asks for this run; in all others a missing server is no failure. */
const isRequired = process.env['npm_lifecycle_event'] === 'test:qdrant';
const TITLE = 'QdrantVectorStore on a real server';
const ANSWER_TIMEOUT_MS = 10_000;

/** Says why the server does not answer, or returns `null`. In a process of its own, because cases are registered synchronously. */
function silenceOf(address: string): string | null {
  const probe = 'fetch(process.argv[1]).then((r) => r.text()).catch((e) => { console.error(String(e.cause ?? e)); process.exitCode = 1; })';
  const { status, stderr } = spawnSync(process.execPath, ['-e', probe, address], { timeout: ANSWER_TIMEOUT_MS, encoding: 'utf8' });
  return status === 0 ? null : stderr.trim() || `no answer within ${ANSWER_TIMEOUT_MS} ms`;
}

if (url === '' && isRequired) {
  it(`${TITLE}: TEST_QDRANT_URL must name it`, () => {
    throw new Error('Set TEST_QDRANT_URL, for example: TEST_QDRANT_URL=http://127.0.0.1:6333 npm run test:qdrant');
  });
} else if (url === '') {
  process.stderr.write(`${TITLE}: SKIPPED, because TEST_QDRANT_URL is not set (see npm run test:qdrant)\n`);
  describe.skip(`${TITLE}: SKIPPED, because TEST_QDRANT_URL is not set`, () => {
    it('runs the contract on the server that TEST_QDRANT_URL names: npm run test:qdrant', () => undefined);
  });
} else {
  const silence = silenceOf(url);
  if (silence !== null) {
    it(`${TITLE}: the server that TEST_QDRANT_URL names must answer`, () => {
      throw new Error(`No answer from ${url}: ${silence}. Start the server, or correct TEST_QDRANT_URL.`);
    });
  } else {
    describeVectorStoreContract(TITLE, async () => ({
      store: new QdrantVectorStore({ url, apiKey, searchTimeoutMs: 10_000, writeTimeoutMs: 60_000 }),
      cleanup: () => Promise.resolve(),
    }));
  }
}
